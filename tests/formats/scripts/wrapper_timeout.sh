#!/bin/bash
timeout -k 5 --signal TERM 1h ./hub --salt abc --db hub
