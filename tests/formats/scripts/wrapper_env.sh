#!/bin/bash
env -u LANG LC_ALL=C GLOG_v=1 ./hub --salt abc --db hub
