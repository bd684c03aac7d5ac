#!/bin/bash
./hub --salt abc --sslCert --sslKey /old/k --db hub
