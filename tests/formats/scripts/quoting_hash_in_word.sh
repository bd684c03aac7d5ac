#!/bin/bash
./hub --salt abc#def --dbPassword '#x' --db hub # real comment
