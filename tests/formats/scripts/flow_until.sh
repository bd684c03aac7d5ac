#!/bin/bash
until ./hub --salt abc --db hub; do sleep 1; done
