#!/bin/bash
./hub --salt abc --db hub --flagfile ./hub.flags
