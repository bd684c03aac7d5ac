#!/bin/bash
./hub --authMode none \
  --sslCert /old/c \
  --flagfile=./hub.flags \
  --salt abc
