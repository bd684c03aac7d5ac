#!/bin/bash
setsid -w stdbuf -oL -e L ./hub --salt abc --db hub
