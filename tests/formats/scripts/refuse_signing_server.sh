#!/bin/bash
./bazel-bin/signing_server/signing_server --salt abc --authMode ssl
