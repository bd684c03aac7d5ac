#!/bin/bash
su - hubuser -s /bin/bash -c "./hub --salt abc --db hub --sslCert /old/c"
