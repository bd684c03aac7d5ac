#!/bin/bash
./hub --salt abc \
  --db hub  # the data base
echo "# done"
