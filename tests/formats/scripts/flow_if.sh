#!/bin/bash
if pgrep -x no-such-hub >/dev/null; then
  echo "runs already"
else
  ./hub --salt abc --db hub
fi
