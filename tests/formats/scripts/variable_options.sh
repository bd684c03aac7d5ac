#!/bin/bash
OPTS="--salt abc --sslCert /old/c --db hub"
OPTS="$OPTS --depth 3"
OPTS+=" --sslKey=/old/k"
./hub $OPTS
