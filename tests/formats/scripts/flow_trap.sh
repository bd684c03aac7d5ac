#!/bin/bash
trap 'echo bye; kill $(jobs -p) 2>/dev/null' EXIT
./hub --salt abc --db hub &
wait $!
