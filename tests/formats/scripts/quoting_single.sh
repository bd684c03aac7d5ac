#!/bin/bash
'./hub' --salt 'it'\''s # no comment \' --db 'hub' --sslCert '/a b/c'
