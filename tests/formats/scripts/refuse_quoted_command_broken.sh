#!/bin/bash
bash -c './hub --salt abc
  --serverType http'
