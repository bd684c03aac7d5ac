#!/bin/bash
args=(--salt abc)
args+=(--db hub)
args+=("--sslCert=/old/c" --sslKey
  /old/k)
if [ -n "$DEBUG" ]; then
  args+=(--logtostderr)
fi
./hub "${args[@]}"
