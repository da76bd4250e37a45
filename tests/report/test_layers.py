"""The table of tried layers."""

from __future__ import annotations

from typing import Any

from regen.report.layers import layers_section


def choice(**changes: Any) -> dict[str, Any]:
    trial = {"value_layer": 10, "memory_layers": 3, "projector": "/a/<p>.safetensors"}
    first = {**trial, "inside": 0.25, "outside": 0.125, "score": 0.375, "spilled": False}
    second = {**trial, "value_layer": 8, "inside": 0.5, "outside": 0.25, "score": 0.75}
    second["spilled"] = True
    return {"trials": [first, second], "held_out": 4, "without_projector": [1, 2], **changes}


def test_a_layer_that_was_given_needs_no_table() -> None:
    assert layers_section(None) == ""


def test_the_best_is_marked_and_the_others_are_shown() -> None:
    section = layers_section(choice())
    assert section.count("chosen</th>") == 1
    assert section.index("chosen</th>") < section.index("<td>10</td>") < section.index("<td>8</td>")
    for figure in ("0.250", "0.125", "0.375", "0.750"):
        assert f"<td>{figure}</td>" in section
    assert "<td>0.250, spilled</td>" in section and section.count("<td>0.125") == 1
    assert "Not tried, as they have no projector: layers 1, 2." in section
    assert "&lt;p&gt;.safetensors" in section and "/a/" not in section
    assert "none can be held out" not in section


def test_a_single_target_is_said_to_be_evaluated_on_itself() -> None:
    section = layers_section(choice(held_out=None, without_projector=[]))
    assert "none can be held out" in section and "Not tried" not in section
