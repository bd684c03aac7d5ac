#!/bin/bash
if [ "$1" = test ]; then
  ./hub --salt abc --db hubtest
else
  ./hub --salt abc --db hub
fi
