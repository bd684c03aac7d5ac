#!/bin/bash
docker run -d --name hub -p 50051:50051 iotacafe/hub:9ccb094 \
  --salt abc --db hub
