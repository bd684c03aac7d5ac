#!/bin/bash
# ./hub --salt old --authMode none
# exec ./hub --sslCert /old
./hub --salt abc --db hub
# ./hub --never
