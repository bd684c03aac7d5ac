#!/bin/bash
ARGS=(--salt abc --db hub)
./hub "${ARGS[@]}"
