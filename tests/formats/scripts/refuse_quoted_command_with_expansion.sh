#!/bin/bash
bash -c "./hub --salt $SALT --db hub"
