#!/bin/sh
# Byte-code for the Python that is here: with it a start takes half of the time. None stays of an earlier one.
set -e
find /usr/lib/hcloud-reassign -type d -name __pycache__ -prune -exec rm -r {} +
python3 -IS -m compileall -q --invalidation-mode unchecked-hash /usr/lib/hcloud-reassign
