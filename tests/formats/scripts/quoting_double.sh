#!/bin/bash
"./bazel-bin/hub/hub" "--salt" "a \"quoted\" \$alt" --db "hub" "--authMode" "none"
