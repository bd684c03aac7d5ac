#!/bin/bash
cd "$(dirname "$0")"
exec ./hub --salt CHANGETHIS --db hub --dbUser root
  --dbPassword myrootpassword --apiAddress 127.0.0.1:14265 --minWeightMagnitude 14 \
  --listenAddress 127.0.0.1:50051 --serverType http >> hub.log 2>&1
