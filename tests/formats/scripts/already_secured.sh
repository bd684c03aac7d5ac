#!/bin/bash
./hub --authMode ssl --sslCert /etc/hub/tls/cert.pem --sslKey "/etc/hub/tls/key.pem" --sslDH=/etc/hub/tls/dh.pem --db hub
