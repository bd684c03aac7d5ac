#!/bin/bash
./hub --salt abc --db hub \
      --dbUser root --dbPassword 'x y' \
      --listenAddress 0.0.0.0:50051
