#!/bin/bash
sudo -u hub -H HUB_HOME=/srv ./hub \
   --salt abc \
   --db hub
