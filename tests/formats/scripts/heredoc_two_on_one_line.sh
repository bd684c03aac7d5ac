#!/bin/bash
cat <<A >a.txt; cat <<B >b.txt
./hub --salt wrong
  --authMode wrong
A
--sslCert wrong
./hub --sslKey wrong
B
./hub --salt abc --db hub
