"""An edits file with everything in it, one with as little as possible, and changes of them."""

from __future__ import annotations

import copy

from regen.edits.schema import read_edits
from regen.files.atomic import write_json

BOX = {"box": [34, 50, 58, 64]}
FULL = {
    "$schema": "../docs/edits.schema.json",
    "version": 1,
    "generator": "portraits",
    "projector": "p.safetensors",
    "value_layer": 8,
    "memory_layers": 2,
    "weights": {"new": 20, "old": 0.5},
    "align": "feature",
    "scale": "stretch",
    "shape": "target",
    "blend": "gain",
    "feather": 1.5,
    "oracle": "cat_eyes",
    "edits": [
        {
            "exemplar": "cat.png",
            "region": {"polygon": [[40, 52], [58, 48], [60, 63]]},
            "targets": [
                {"seed": 3, "truncation": 0.7, "region": BOX},
                {"seed": 4, "region": {"portraits": "eyes"}},
            ],
        },
        {
            "exemplar": {"pattern": "gear", "seed": 7},
            "region": {"portraits": "eyes"},
            "targets": [{"seed": 0, "region": {"mask": "m.png"}}],
        },
    ],
}
LEAST = {
    "version": 1,
    "edits": [{"exemplar": "cat.png", "region": BOX, "targets": [{"seed": 3, "region": BOX}]}],
}


def read(folder, content):
    write_json(folder / "e.json", content)
    return read_edits(folder / "e.json")


def changed(path, value, content=FULL):
    """The content with one value replaced or added, or removed when it is None."""
    content = copy.deepcopy(content)
    *parents, last = path
    inner = content
    for key in parents:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return content
