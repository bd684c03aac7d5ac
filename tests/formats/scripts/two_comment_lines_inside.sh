#!/bin/bash
if true; then
  ./hub \
    --salt CHANGETHIS \
    # the data base:
    # see the wiki
    --db hub \
    --dbUser root \
    --dbPassword myrootpassword \
    --apiAddress 127.0.0.1:14265 \
    --minWeightMagnitude 14 \
#   --listenAddress 0.0.0.0:50051 \
    --listenAddress 127.0.0.1:50051 \
    --serverType http
fi
