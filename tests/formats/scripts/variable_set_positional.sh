#!/bin/bash
set -- --depth 4 "$@"
./hub --salt abc --db hub "$@"
