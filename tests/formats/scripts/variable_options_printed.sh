#!/bin/bash
OPTS="--salt abc --authMode none --db hub"
ARGS=(--sslCert /old/c --depth 3)
echo "starting hub with $OPTS and ${ARGS[*]}"
printf '%s\n' "${ARGS[@]}" >args.log
./hub $OPTS "${ARGS[@]}"
