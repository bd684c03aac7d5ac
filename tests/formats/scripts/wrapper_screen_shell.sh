#!/bin/bash
screen -S hub -d -m bash -c './hub --salt abc --db hub 2>&1 | tee hub.log'
