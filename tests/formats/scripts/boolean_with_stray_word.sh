#!/bin/bash
./hub --salt abc --useHttpsIRI true --db hub
