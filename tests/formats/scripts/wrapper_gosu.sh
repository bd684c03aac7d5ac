#!/bin/bash
exec gosu hub ./hub --salt abc --db hub "$@"
