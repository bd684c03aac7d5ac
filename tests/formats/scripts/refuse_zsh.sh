#!/bin/zsh
./hub --salt abc
