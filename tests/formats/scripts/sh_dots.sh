#!/usr/bin/env bash
set -euo pipefail
cd "${0%/*}"
exec ./bazel-bin/hub/hub \
    --salt "abcdefghijklmnopqrstuvwxyz" \
    --db hub \
    --minWeightMagnitude 14 \
    --listenAddress "0.0.0.0:50051" \
    --serverType http
