#!/bin/bash
{
  echo starting
  ./hub --salt abc --db hub
} >> hub.log 2>&1
