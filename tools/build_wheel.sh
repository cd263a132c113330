#!/usr/bin/env bash
# A Linux wheel that holds the RoIAlign op compiled for each group of TensorFlow versions.
#
#   tools/build_wheel.sh PYTHON        versions: TENSORFLOWS="2.19.* 2.20.* 2.21.*"
#
# A binary built on any of TensorFlow 2.16 to 2.19 loads on all four; 2.20 and 2.21 need their own.
# The binaries have no Python ABI, so that one wheel serves every Python.
set -euo pipefail
python="$1"
cd "$(dirname "$0")/.."
rm -rf build dist
