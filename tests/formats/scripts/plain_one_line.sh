#!/bin/bash
./hub --salt abcdefghijklmnopqrstuvwxyz --db hub --serverType http
