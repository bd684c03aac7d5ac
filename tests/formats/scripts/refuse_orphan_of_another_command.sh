#!/bin/bash
tar -xf hub.tar \ 
  --directory /srv
./hub --salt abc
