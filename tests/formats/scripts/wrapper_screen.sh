#!/bin/bash
screen -dmS hub ./hub --salt abc --db hub
