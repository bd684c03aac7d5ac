#!/bin/bash
./hub --sslKey a --sslKey=b -sslKey c --db hub --sslKey d --depth 3
