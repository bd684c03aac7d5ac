#!/bin/bash
./hub --useHttpsIRI --salt abc --nofetchTransactionMessages --db hub --logtostderr
