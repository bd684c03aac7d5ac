#!/bin/bash
bazel run //hub:hub --salt abc
