
./hub --salt abc --db hub
