#!/bin/bash
nohup ./hub --salt abc --db hub > hub.log 2>&1 &
echo $! > hub.pid
wait
