#!/bin/bash
start() { ./hub --salt abc --db hub & wait; }
case "${1:-start}" in
  stop) pkill -x no-such-hub ;;
  *) start ;;
esac
