#!/bin/bash
ARGS=(--salt abc)
if [ -n "$TLS" ]; then
  ARGS+=(--authMode ssl --sslCert /c)
fi
./hub "${ARGS[@]}"
