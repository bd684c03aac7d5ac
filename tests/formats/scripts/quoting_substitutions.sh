#!/bin/bash
./hub --salt "$(printf '%s' "a b" | tr ' ' '_')" --dbPassword `echo secret` --depth $((1 + 2)) --db "${HUB_DB:-hub}"
