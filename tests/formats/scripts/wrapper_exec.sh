#!/bin/bash
exec -a iota-hub ./hub --salt abc --db hub "$@"
