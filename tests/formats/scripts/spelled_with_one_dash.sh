#!/bin/bash
./hub -salt abc -authMode none -sslCert /old/c -sslKey=/old/k --sslDH=/old/d -db hub
