"""`kmaskrcnn info`: what a model, or anybody's file of weights, says of itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from kmaskrcnn import classes, weights
from kmaskrcnn.commands.settings import notes
from kmaskrcnn.commands.toml_file import toml_text
from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.model import MaskRCNN
from kmaskrcnn.model_file import Header, read_header
from kmaskrcnn.presets import preset, preset_names
from kmaskrcnn.progress import console

Facts = dict[str, Any]


def run(path: Path) -> Facts:
    """All that is known of a file.

    Raises:
        ValueError: neither a model of ours nor weights that can be read; names the file.
    """
    size = {"file": str(path), "bytes": path.stat().st_size}
    return {**size, **(of_model(path) if path.suffix == ".keras" else of_weights(path))}


def show(facts: Facts) -> None:
    """The same in lines."""
    lines = model_lines(facts) if facts["kind"] == "model" else weights_lines(facts)
    for name, text in lines.items():
        if text:
            console.print(f"{name:<11}{text}")
    if facts.get("parts"):
        console.print(parts_table(facts["parts"]))


def toml(path: Path) -> str:
    """The network as `train --config` takes it."""
    header = read_header(path)
    name = preset_of(header)
    changed = differing(header.config, name)
    options = {"preset": (name, "The network and its settings.")}
    return toml_text(
        [f"The network of {path}"], options, {"model": (changed, notes(name, changed))}
    )


# ---------------------------------------------------------------- a model of ours


def of_model(path: Path) -> Facts:
    """From the settings in the file; its arrays stay where they are."""
    header = read_header(path)
    name = preset_of(header)
    return {
        "kind": "model",
        "class_names": list(header.class_names),
        "preset": name,
        "differs": differing(header.config, name),
        "config": header.config.to_dict(),
        "input": {"min_size": header.config.min_size, "max_size": header.config.max_size},
        "precision": precision(header.dtype),
        "optimizer": header.optimizer,
        "frozen": list(header.frozen),
        "parts": parts(header),
        "provenance": dict(header.provenance),
        "keras": header.keras,
        "saved": header.saved,
    }


def preset_of(header: Header) -> str:
    """The preset that it was made from, or else the one that it differs least from."""
    name = header.provenance.get("preset")
    if name in preset_names():
        return str(name)
    return min(preset_names(), key=lambda name: len(differing(header.config, name)))


def differing(config: MaskRCNNConfig, name: str) -> Facts:
    """The fields that are not as in a preset."""
    there = preset(name).to_dict()
    return {key: value for key, value in config.to_dict().items() if value != there[key]}


def precision(dtype: Any) -> str:
    """``mixed_bfloat16`` of Keras' note of a policy."""
    if isinstance(dtype, Mapping):
        dtype = dtype.get("config", {}).get("name")
    return str(dtype or "float32")


def parts(header: Header) -> dict[str, dict[str, int]] | str:
    """Parameters of each part that learn and that do not; or why they cannot be counted.

    The network is built for it, with random weights: which arrays learn depends on its layers.
    """
    try:
        model = MaskRCNN(header.config, header.class_names, frozen=header.frozen)
    except ValueError as error:  # a backbone of the user's that this program does not know
        return str(error)
    learning = {id(variable) for variable in model.trainable_variables}
    counts: dict[str, dict[str, int]] = {}
    for name, variable in model.parameters.items():
        part = counts.setdefault(name.partition("/")[0], {"trainable": 0, "frozen": 0})
        kind = "trainable" if id(variable) in learning else "frozen"
        part[kind] += math.prod(variable.shape)
    return counts


def model_lines(facts: Facts) -> dict[str, str]:
    """A line for each thing worth knowing, by its heading."""
    changed = facts["differs"]
    there = preset(facts["preset"]).to_dict()
    now = ", ".join(f"{name} {value} ({there[name]})" for name, value in changed.items())
    kept = f"{facts['optimizer']}, kept to train on; kmaskrcnn freeze makes a file without it"
    size = facts["input"]
    return {
        "model": f"{facts['file']}, {mebibytes(facts['bytes'])}",
        "saved": f"{facts['saved'].replace('@', ' ')} by Keras {facts['keras']}",
        "classes": named_classes(facts["class_names"]),
        "preset": facts["preset"],
        "differs": now and f"{now}; in brackets the preset's",
        "input": f"short side {size['min_size']}, long side at most {size['max_size']} pixels",
        "precision": facts["precision"],
        "frozen": ", ".join(facts["frozen"]) or "nothing",
        "optimizer": kept if facts["optimizer"] else "none",
        **provenance_lines(facts["provenance"]),
        "parameters": facts["parts"] if isinstance(facts["parts"], str) else "",
    }


def provenance_lines(provenance: Mapping[str, Any]) -> dict[str, str]:
    """Made by what, from which weights, trained on what."""
    made = ("kmaskrcnn", "tensorflow", "keras")
    versions = [f"{name} {provenance[name]}" for name in made if name in provenance]
    trained = provenance.get("trained") or {}
    return {
        "made by": ", ".join(versions),
        "weights": str(provenance.get("weights") or ""),
        "trained": ", ".join(f"{name} {flat(value)}" for name, value in trained.items()),
    }


def flat(value: Any) -> str:
    """``{"epoch": 3, "val_mask_AP": 0.51}`` → ``(epoch 3, val_mask_AP 0.51)``."""
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{name} {flat(item)}" for name, item in value.items()) + ")"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def parts_table(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """Parameters, a line a part."""
    table = Table("parameters", box=None, pad_edge=False)
    for heading in ("all", "trainable", "frozen"):
        table.add_column(heading, justify="right")
    total = {key: sum(part[key] for part in counts.values()) for key in ("trainable", "frozen")}
    for name, part in {**counts, "together": total}.items():
        row = (sum(part.values()), part["trainable"], part["frozen"])
        table.add_row(name, *(f"{count:,}" for count in row))
    return table


# ---------------------------------------------------------------- anybody's weights


def of_weights(path: Path) -> Facts:
    """Whose they are, and what they know."""
    arrays = weights.read_arrays(path)
    if weights.is_keras_file(arrays):
        arrays = weights.from_keras_file(arrays)
    try:
        framework = weights.framework_of(arrays)
    except ValueError:
        framework = "unknown"
    detector = weights.has_heads(arrays)
    count = weights.count_classes(arrays) if detector else 0
    return {
        "kind": "weights",
        "framework": framework,
        "detector": detector,
        "classes": count,
        "class_names": list(classes.by_count(count)) if detector else [],
        "arrays": len(arrays),
        "parameters": sum(int(array.size) for array in arrays.values()),
        "names": list(arrays)[:5],
    }


def weights_lines(facts: Facts) -> dict[str, str]:
    """The same as of a model, as far as weights say it."""
    whose = {
        "ours": "of kmaskrcnn",
        "unknown": "of none of kmaskrcnn, torchvision, Detectron2 and matterport; maybe of a "
        "network of keras.applications",
    }
    framework = whose.get(facts["framework"], f"of {facts['framework']}")
    kind = "a detector" if facts["detector"] else "a backbone, without the heads of a detector"
    known = f"{named_classes(facts['class_names'])} (told by their number)"
    return {
        "weights": f"{facts['file']}, {mebibytes(facts['bytes'])}",
        "whose": f"{framework}: {kind}",
        "arrays": f"{facts['arrays']}, {facts['parameters']:,} numbers in all",
        "classes": known if facts["detector"] else "",
        "names": ", ".join(facts["names"])
        + (", …" if facts["arrays"] > len(facts["names"]) else ""),
    }


def named_classes(names: list[str]) -> str:
    """How many, and which; of many the first."""
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"{len(names)}: {shown}"


def mebibytes(size: int) -> str:
    """``"247.6 MiB"``."""
    return f"{size / 2**20:.1f} MiB"
