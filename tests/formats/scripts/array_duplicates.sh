#!/bin/bash
ARGS=(
  --sslCert /one
  --sslCert /two  # newer
  --salt abc --sslKey /k1 --db hub
  --sslKey /k2
)
./hub "${ARGS[@]}"
