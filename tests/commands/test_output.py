"""What the verbs write alike."""

import json
import math

from kmaskrcnn.commands.output import write_json


def test_json_has_no_nan(tmp_path):
    write_json(tmp_path / "new" / "m.json", {"mask/AP": math.nan, "box/AP": 0.5})
    assert json.loads((tmp_path / "new" / "m.json").read_text()) == {"mask/AP": None, "box/AP": 0.5}
