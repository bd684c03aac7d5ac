#!/bin/bash
./hub --salt abc \
  --signingServerSslCert /s/ca --signingServerChainCert /s/chain --signingServerKeyCert /s/key \
  --sslCA /old/ca --db hub
