#!/bin/bash
ARGS=(
  --salt 'a b'      # secret
  --authMode none   # not yet
  --sslCert /old/c
  # --sslKey /commented/out
  --db hub
)
exec ./hub "${ARGS[@]}" "$@"
