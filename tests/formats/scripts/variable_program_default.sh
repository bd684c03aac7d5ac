#!/bin/bash
HUB="${HUB_BINARY:-./hub}"
$HUB --salt abc --db hub
