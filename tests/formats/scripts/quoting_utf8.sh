#!/bin/bash
# café
./hub --salt 'pässwörd ☃' --db hub --sslCert /häuser/alt.pem
