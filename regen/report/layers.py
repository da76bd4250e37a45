"""The section of a report that says how the value layer was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regen.report.text import escape

EXPLANATION = """The value layer was chosen by trying. Each row is a short fit that was evaluated on
held-out samples: the mean error left inside the region of a held-out target, and the mean change
outside of the region on unseen samples, both relative to the error before the fit. The score
weights them as the rule does, inside by p and outside by q; 1 would be a rewrite without effect.
The smallest is chosen, of those that did not spill, which is to change unseen samples elsewhere so
much that they are no longer the same."""

ALONE = """With a single target none can be held out, so the error inside is that of the target
itself."""


def layers_section(choice: Mapping[str, Any] | None) -> str:
    """A heading, an explanation and the table, or nothing where the layer was given.

    Args:
        choice: `trials`, the best first, each with value_layer, memory_layers, projector, inside,
            outside, score and spilled; `held_out`, a label or None; `without_projector`, layers.
    """
    if choice is None:
        return ""
    rows = "".join(_row(trial, i == 0) for i, trial in enumerate(choice["trials"]))
    heads = ("", "value layer", "memory", "inside", "outside", "score", "projector")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    had_projectors = any(trial["projector"] is not None for trial in choice["trials"])
    left = _left_out(choice["without_projector"]) if had_projectors else ""
    alone = "" if choice["held_out"] is not None else f" {ALONE}"
    return (
        f"<h2>Which layer</h2>\n<p>{EXPLANATION}{alone}</p>\n"
        f'<div class="scroll"><table class="numbers"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody>{left}</table></div>"
    )


def _row(trial: Mapping[str, Any], chosen: bool) -> str:
    cells = [
        f"{trial['value_layer']}",
        f"{trial['memory_layers']}",
        f"{trial['inside']:.3f}",
        f"{trial['outside']:.3f}{', spilled' if trial['spilled'] else ''}",
        f"{trial['score']:.3f}",
        "none" if trial["projector"] is None else escape(Path(str(trial["projector"])).name),
    ]
    mark = '<th scope="row">chosen</th>' if chosen else "<td></td>"
    return f"<tr>{mark}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _left_out(layers: Sequence[int]) -> str:
    if not layers:
        return ""
    named = ", ".join(map(str, layers))
    return f"<caption>Not tried, as they have no projector: layers {named}.</caption>"
