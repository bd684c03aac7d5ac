#!/bin/bash
./hub --salt abc >hub.log --db hub 2>&1 --authMode none
