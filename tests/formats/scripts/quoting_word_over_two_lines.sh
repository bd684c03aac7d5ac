#!/bin/bash
./bazel-bin/\
hub/hub --salt abc\
def --db hub
