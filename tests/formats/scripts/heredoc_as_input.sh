#!/bin/bash
./hub --salt abc <<'EOF' --db hub
--authMode none
EOF
