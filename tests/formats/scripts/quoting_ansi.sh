#!/bin/bash
./hub --salt $'tab\there' --db hub
