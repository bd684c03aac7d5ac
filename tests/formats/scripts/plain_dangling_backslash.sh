#!/bin/bash
./hub \
  --salt abc \
  --db hub \

echo finished
