#!/bin/bash
SALT='abc def'
export CERT=/old/cert.pem
LISTEN=0.0.0.0:50051
./hub --salt "$SALT" --sslCert "$CERT" --listenAddress $LISTEN --db "${DB:-hub}"
