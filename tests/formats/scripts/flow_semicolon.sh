#!/bin/bash
ulimit -n 4096; ./hub --salt abc --db hub; echo ended
