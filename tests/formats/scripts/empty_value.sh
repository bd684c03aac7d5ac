#!/bin/bash
./hub --salt abc --sslCert= --sslKey "" --db hub
