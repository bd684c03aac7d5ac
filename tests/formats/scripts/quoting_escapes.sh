#!/bin/bash
./hub --salt a\ b\;c --dbPassword \$\(x\)\# --db hub
