#!/bin/bash
./hub --salt "first
second --authMode none
third" \
  --db hub
