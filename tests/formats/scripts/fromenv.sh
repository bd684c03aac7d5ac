#!/bin/bash
./hub --salt abc --fromenv=sslCert,sslKey --db hub "$@"
