#!/bin/bash
./hub `# the server` \
  --salt abc `# long enough` \
  --db hub
