#!/bin/bash
./hub --salt abc --db hub <<< "yes"
