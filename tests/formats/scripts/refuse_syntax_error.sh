#!/bin/bash
if true; then
./hub --salt abc
