#!/bin/bash
GLOG_logtostderr=1 TZ=UTC ./hub --salt abc --db hub
