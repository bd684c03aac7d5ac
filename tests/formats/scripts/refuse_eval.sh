#!/bin/bash
eval "./hub --salt abc $OPTIONS"
