#!/bin/bash
./hub --salt abc --dbPassword $NO_SUCH_VARIABLE
