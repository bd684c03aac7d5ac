#!/bin/bash
if [ -x ./bazel-bin/hub/hub ]; then
  HUB=./bazel-bin/hub/hub
else
  HUB=/usr/local/bin/hub
fi
${HUB} --salt abc \
  --db hub
