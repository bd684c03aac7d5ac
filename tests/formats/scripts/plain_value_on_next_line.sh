#!/bin/bash
./hub \
  --salt \
    abc \
  --sslCert \
    /old/cert.pem \
  --db hub
