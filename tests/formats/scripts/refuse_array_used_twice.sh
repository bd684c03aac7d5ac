#!/bin/bash
TLS=(--authMode none)
./hub "${TLS[@]}" --salt abc "${TLS[@]}"
