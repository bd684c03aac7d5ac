#!/bin/bash
bazel run -c opt //hub:hub -- --salt abc --db hub
