#!/bin/bash
./hub --flagfile=./hub.flags --salt abc --db hub
