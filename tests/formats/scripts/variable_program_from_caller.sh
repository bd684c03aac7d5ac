#!/bin/bash
unset HUB
HUB=${NO_SUCH_HUB:-./bazel-bin/hub/hub}
exec "$HUB" --salt abc --db hub
