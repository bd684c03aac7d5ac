#!/bin/bash
./hub --salt abc --serverType "$1"
