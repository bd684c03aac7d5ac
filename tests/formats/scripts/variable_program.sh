#!/bin/bash
HUB=./bazel-bin/hub/hub
"$HUB" --salt abc --db hub
