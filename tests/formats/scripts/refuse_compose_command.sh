#!/bin/bash
docker-compose -f hub.yml up -d
