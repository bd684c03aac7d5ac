#!/bin/bash
./github --salt abc
./hub2 --salt abc
cp hub /usr/local/bin/hub
