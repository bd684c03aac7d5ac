#!/bin/bash
A=(--salt abc)
A=("${A[@]}" --db hub)
./hub "${A[@]}" --depth 3
