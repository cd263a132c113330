#!/usr/bin/env bash
# A Linux wheel that holds the RoIAlign op compiled for each group of TensorFlow versions.
#
#   tools/build_wheel.sh PYTHON        other versions: TENSORFLOWS="2.19.* 2.20.* 2.21.*"
#
# A binary built on any of TensorFlow 2.16 to 2.19 loads on all four; 2.20 and 2.21 need their own.
# The binaries have no Python ABI, so that one wheel serves every Python 3.
set -euo pipefail
python="$1"
cd "$(dirname "$0")/.."
binaries="$PWD/build/binaries"
rm -rf build dist
mkdir -p "$binaries"

for version in ${TENSORFLOWS:-2.19.* 2.20.* 2.21.*}; do
    environment=".venvs/tensorflow-${version%.\*}"
    if [ ! -e "$environment/.installed" ]; then
        "$python" -m venv "$environment"
        "$environment/bin/python" -m pip install --quiet "tensorflow-cpu==$version"
        touch "$environment/.installed"
    fi
    TF_CPP_MIN_LOG_LEVEL=3 KMASKRCNN_ROI_ALIGN=op KMASKRCNN_CACHE="$binaries" PYTHONPATH="$PWD" \
        "$environment/bin/python" - "$binaries" <<'PY'
import sys

import tensorflow as tf

from kmaskrcnn.ops import library

path = library.build(output_folder=sys.argv[1])
tf.load_op_library(str(path))  # it fits this TensorFlow, or there is no wheel
print(f"TensorFlow {tf.__version__}: {path.name}")
PY
done

rm -f "$binaries"/*cuda*  # nothing in the package loads it
KMASKRCNN_BINARIES="$binaries" "$python" -m pip wheel --quiet --no-deps --wheel-dir dist .
ls dist
