#!/bin/bash
./bazel-bin/hub/hub \
	--salt abcdefghijklmnopqrstuvwxyz \
	--db hub \
	--serverType http
