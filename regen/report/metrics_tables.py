"""The metrics of a report as tables.

Reads what metrics.json holds: `inside` and `outside` of the region, `oracle`, `lpips`; any of them
may be missing, and any LPIPS may be None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from regen.report.text import escape

Metrics = Mapping[str, object]

REGION_SOURCES = {
    "oracle": "The regions come from an oracle: what may differ between its drawings of a sample "
    "with the pattern and without.",
    "named": "The regions come from an oracle, which draws the samples anew: the parts that the "
    "edits name, of which the pattern may cover less, or more.",
    "paste": "The regions are those of the exemplar pasted at the mean place of the targets' "
    "regions, a pseudo-oracle, which holds for aligned samples.",
    "similarity": "The true regions of unseen samples are unknown: the similarity "
    "map stands in for them.",
}


def oracle_name(metrics: Metrics) -> str:
    """What the oracle is called: a pasted exemplar is a pseudo-oracle."""
    return "pseudo-oracle" if metrics.get("oracle_source") == "paste" else "oracle"


def metrics_table(metrics: Metrics, region_source: str, samples: int) -> str:
    """The main metrics as an HTML table, with a caption saying how they were computed."""
    rows = [
        _row("Changed inside the region: the intended change", metrics.get("inside")),
        _row("Changed outside of it: 0 is best", metrics.get("outside")),
    ]
    oracle, name = metrics.get("oracle"), oracle_name(metrics)
    if isinstance(oracle, Mapping):
        for part in ("inside", "outside"):
            before, after = oracle.get(f"{part}_before"), oracle.get(f"{part}_after")
            label = f"Distance to the {name}, {part}: before → after"
            rows.append(_row(label, before, after, share=part == "inside"))
    named = region_source == "oracle" and not isinstance(oracle, Mapping)  # no pattern is known
    regions = REGION_SOURCES["named" if named else region_source]
    caption = f"Means over {samples} samples. {regions} {_about(metrics)}"
    return (
        '<table class="numbers"><thead><tr><th></th><th>LPIPS</th><th>L1</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody><caption>{escape(caption)}</caption></table>"
    )


def flat_table(values: Metrics, said_by: Mapping[str, str] | None = None) -> str:
    """Any nested metrics or settings as a table of dotted names and values.

    Args:
        values: What to show.
        said_by: Where a value comes from, by dotted name; shown as a column "from" where given.
    """

    def origin(name: str) -> str:
        return "" if said_by is None else f"<td>{escape(said_by.get(name, ''))}</td>"

    rows = (
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{escape(text)}</td>'
        f"{origin(name)}</tr>"
        for name, text in _flat(values)
    )
    columns = ("setting", "value", "from")
    heads = "".join(f'<th scope="col">{column}</th>' for column in columns)
    head = "" if said_by is None else f"<thead><tr>{heads}</tr></thead>"
    return f'<table class="numbers">{head}<tbody>{"".join(rows)}</tbody></table>'


def _flat(values: Metrics, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", f"{value:.4g}" if isinstance(value, float) else str(value)


def _pair(value: object) -> dict[str, float]:
    """The numbers of a `{"lpips": ..., "l1": ...}` that are there."""
    if not isinstance(value, Mapping):
        return {}
    return {name: v for name, v in value.items() if isinstance(v, (int, float))}


def _row(label: str, first: object, then: object = None, *, share: bool = False) -> str:
    cells = "".join(f"<td>{_cell(first, then, name, share)}</td>" for name in ("lpips", "l1"))
    return f'<tr><th scope="row">{escape(label)}</th>{cells}</tr>'


def _cell(first: object, then: object, name: str, share: bool) -> str:
    before, after = _pair(first).get(name), _pair(then).get(name)
    if before is None:
        return "–"
    if after is None:
        return f"{before:.4f}"
    left = f" <small>({100 * after / before:.0f}%)</small>" if share and before > 0 else ""
    return f"{before:.4f} → {after:.4f}{left}"


def _about(metrics: Metrics) -> str:
    """How LPIPS was computed, or why not; and what L1 is."""
    l1 = (
        "L1 is the mean absolute difference on [-1, 1]; for both, all but the region is masked out."
    )
    lpips = metrics.get("lpips")
    if not isinstance(lpips, Mapping):
        return l1
    if lpips.get("backbone") is None:
        return f"LPIPS could not be computed: {lpips.get('unavailable')}. {l1}"
    return (
        f"LPIPS: {lpips.get('backbone')}, version {lpips.get('version')}, "
        f"at {lpips.get('resolution')} pixels; lower is more alike. {l1}"
    )
