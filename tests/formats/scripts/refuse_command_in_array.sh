#!/bin/bash
CMD=(./hub --salt abc --db hub)
exec "${CMD[@]}"
