#!/bin/bash
./hub --serverType http

echo started
--sslCert=/etc/hub/cert.pem
