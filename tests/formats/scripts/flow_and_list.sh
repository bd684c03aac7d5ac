#!/bin/bash
cd . && ./hub --salt abc --db hub || exit 1
