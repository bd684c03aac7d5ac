#!/bin/bash
[ -f ./hub.conf ] && . ./hub.conf
./hub $HUB_OPTS --salt abc --db hub
