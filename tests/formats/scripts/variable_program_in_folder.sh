#!/bin/bash
DIR="$(cd "$(dirname "$0")" && pwd)"
exec "$DIR/bazel-bin/hub/hub" --salt abc --db hub
