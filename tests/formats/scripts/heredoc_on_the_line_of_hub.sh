#!/bin/bash
cat <<E >notes.txt && ./hub --salt abc --db hub
--authMode wrong
E
