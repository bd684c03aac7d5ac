#!/bin/bash

./bazel-bin/hub/hub \
	--salt CHANGETHIS \
	--authMode ssl \
	--sslCert /home/jake/hub/docs/ssl/grpc/server.crt \
	--sslKey /home/jake/hub/docs/ssl/grpc/server.key \
	--sslDH /home/jake/dh.pem
	--db hub \
	--dbUser root \
	--dbPassword myrootpassword \
	--apiAddress 127.0.0.1:14265 \
	--minWeightMagnitude 14 \
	--listenAddress 127.0.0.1:50051 \
	--serverType http
