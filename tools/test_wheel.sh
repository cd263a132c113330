#!/usr/bin/env bash
# A wheel into an empty environment, used from an empty folder: does it train, keep and predict?
#
#   tools/test_wheel.sh PYTHON WHEEL
set -euo pipefail
python="$1"
wheel="$(realpath "$2")"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "$wheel"
mkdir "$folder/empty"
cd "$folder/empty"
export TF_CPP_MIN_LOG_LEVEL=3 KMASKRCNN_CACHE="$folder/cache"

"$folder/venv/bin/kmaskrcnn" --help >help.txt
case "$wheel" in
    *-any.whl) # sources only: they are to compile
        if command -v "${CXX:-g++}" >/dev/null 2>&1; then
            "$folder/venv/bin/kmaskrcnn" build-op
            export KMASKRCNN_ROI_ALIGN=op
        fi
        ;;
    *) # binaries: one is to fit the TensorFlow that was installed
        export KMASKRCNN_ROI_ALIGN=op
        ;;
esac
"$folder/venv/bin/python" - <<'PY'
import numpy as np

import kmaskrcnn

assert "site-packages" in kmaskrcnn.__file__, kmaskrcnn.__file__
print(kmaskrcnn.ops.status())
shapes = kmaskrcnn.data.ShapesDataset(4, image_size=(64, 64))
model = kmaskrcnn.MaskRCNN.from_preset("tiny", class_names=shapes.class_names)
model.fit(shapes, epochs=1, batch_size=2, verbose=0)
model.save("model.keras")
before = model.predict(shapes[0].image)[0]
after = kmaskrcnn.load("model.keras").predict(shapes[0].image)[0]
assert np.array_equal(before.boxes, after.boxes) and np.array_equal(before.masks, after.masks)
print("The wheel trains, keeps and predicts:", after)
PY
