#!/bin/bash
OPTS="--salt abc
  --authMode none
  --db hub"
./hub $OPTS --depth 3
