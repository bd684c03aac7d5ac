#!/bin/bash
./hub --salt abc --db hub 2>&1 | tee -a hub.log
