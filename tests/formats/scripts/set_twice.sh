#!/bin/bash
./hub \
  --authMode none \
  --sslCert /first/c \
  --salt abc \
  --sslCert=/second/c --db hub \
  --authMode ssl
