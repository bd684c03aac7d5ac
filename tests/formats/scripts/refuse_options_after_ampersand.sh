#!/bin/bash
nohup ./hub --salt abc > log 2>&1 &
  --serverType http
