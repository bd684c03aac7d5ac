#!/bin/bash
CMD="./hub --salt abc --db hub"
$CMD
