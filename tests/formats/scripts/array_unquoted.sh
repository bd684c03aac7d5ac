#!/bin/bash
ARGS=(--salt abc --sslDH /old/dh --db hub)
./hub ${ARGS[@]}
