#!/bin/bash
time command ./hub --salt abc --db hub
