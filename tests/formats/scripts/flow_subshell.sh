#!/bin/bash
(cd . ; exec ./hub --salt abc --db hub)
