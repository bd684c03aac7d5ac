#!/bin/sh
exec ./hub --db hub