#!/bin/bash
exec ./hub $@ --salt abc --db hub
