#!/bin/bash
runuser -u hubuser -- ./hub --salt abc --db hub
