#!/bin/bash
cat > hub.notes <<EOF
./hub --salt wrong --authMode none \\
  --db wrong
EOF
./hub --salt abc --db hub
