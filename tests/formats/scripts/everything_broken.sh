#!/bin/bash
set -e
mkdir -p run && cd .
start() {
	nohup nice ./hub \ 
		--salt CHANGETHIS   # secret!
		--db hub \

		# who
		--dbUser root
		--dbPassword myrootpassword \
		--apiAddress 127.0.0.1:14265 # node \
		--minWeightMagnitude 14 \
		--listenAddress 127.0.0.1:50051
		--serverType http
}
start
