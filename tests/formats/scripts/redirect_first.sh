#!/bin/bash
>hub.log 2>&1 ./hub --salt abc --db hub
