#!/bin/bash
bash -lc '
  cd .
  exec ./hub \
    --salt abc \
    --db hub
'
