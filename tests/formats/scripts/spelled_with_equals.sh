#!/bin/bash
./hub \
  --salt=abc \
  --authMode=none \
  --sslCert="/old/c d.pem" \
  "--sslKey=/old/k" \
  --sslDH='/old/d' \
  --db=hub
