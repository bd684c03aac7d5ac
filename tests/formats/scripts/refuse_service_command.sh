#!/bin/bash
sudo systemctl restart hub
