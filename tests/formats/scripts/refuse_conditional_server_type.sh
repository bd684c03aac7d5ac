#!/bin/bash
ARGS=(--salt abc)
[ -n "$REST" ] && ARGS+=(--serverType http)
./hub "${ARGS[@]}"
