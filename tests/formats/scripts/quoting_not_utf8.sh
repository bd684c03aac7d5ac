#!/bin/bash
# café
./hub --salt 'naïve' --db hub
