#!/bin/bash
supervisorctl restart hub
