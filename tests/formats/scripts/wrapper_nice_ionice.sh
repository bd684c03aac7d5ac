#!/bin/bash
nice -n 10 ionice -c 2 -n 7 ./hub --salt abc --db hub
