#!/bin/bash
while true; do
  ./hub \
    --salt abc \
    --db hub
  echo "hub ended with $?" >&2
  sleep 5
done
