#!/bin/bash
./hub --salt abc --db hub -- --authMode none --sslCert /ignored
