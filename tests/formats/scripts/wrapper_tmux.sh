#!/bin/bash
tmux new-session -d -s hub './hub --salt abc --db hub'
