#!/bin/bash
command -v ./hub >/dev/null || exit 1
./hub --salt abc --db hub
