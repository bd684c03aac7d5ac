#!/bin/bash
./hub --salt abc --db hub > >(cat) 2> >(cat >&2)
