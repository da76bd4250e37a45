"""Did a rewrite take, and was the rest kept? A verdict in words, from the numbers of metrics.json.

All limits of the verdict stand here, each with what it rests on. Where there is no LPIPS, as for
images below 32 pixels, L1 decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Took = Literal["took", "took in part", "did not take"]
Kept = Literal["kept", "spilled"]

TOOK_BELOW = 0.5
"""Of the distance before, what may be left where a rule took. On the portraits 0.2 to 0.45 is left
of the patterns that a stranger sees at once: cat eyes, a red nose, sunglasses."""
IN_PART_BELOW = 0.9
"""What is left where a rule took in part: 0.8 of gear eyes, which show as pale irises, while of
baselines whose samples look unchanged 0.92 to 1 is left."""
TRANSFERRED = 0.5
"""How much of the change that was asked of the targets unseen samples must show, where no oracle
says what they should be; half of it, as for `TOOK_BELOW`."""
TRANSFERRED_IN_PART = 0.2
"""The least for a rule that took in part: less is what samples change by anyway."""
SPILLED_ABOVE = {"lpips": 0.02, "l1": 0.03}
"""Change outside of the region at which samples are no longer the same. Rewrites that look local
change 0.003 to 0.016 (LPIPS) and 0.009 to 0.019 (L1), those that repaint hair or background above
0.03 and 0.04."""
MOST_AWAY = 0.1
"""Share of the map on the targets that may lie away from their regions. On the portraits it was 0
to 0.05 for eyes, noses, glasses and masks, whose rewrites stay in place, and 0.16 to 0.45 for a
crown, a badge on the shirt and a spot in the background, as their keys are those of all hair, of
all cloth and of all the background."""

HIGHEST_AWAY = 0.55
"""How strong the map may be at a spot away from the regions, compared with inside them. For an
eye patch on photographs it was 0.7 to 0.8 at the other eye, which lost its detail; for sunglasses,
whose rewrites stay in place, 0.47 beside them, and for most examples 0 to 0.2."""

MISSED_BELOW = 0.5
"""A sample is missed where the map covers less than this of what it should, and, once the rule has
been learned, where less than this of the area that changed on the targets changed."""
CHANGED_ABOVE = 0.4
"""What counts as changed: pixels that differ by this much of the mean change that was asked."""
MOST_MISSED = 0.25
"""Share of unseen samples that may be missed. Once learned it was 0 for whole parts of faces, 0.06
for brows, 0.3 for a stroke on a drawn forehead, 0.5 for the round frame of glasses and 0.7 for a
disc on the forehead of photographs, which nearly half of the people did not show."""

Metrics = Mapping[str, object]


@dataclass(frozen=True)
class Verdict:
    """What became of a rule on samples that it was not learned from.

    Attributes:
        took: Whether the pattern is there.
        kept: Whether everything else stayed.
        text: Two sentences with the numbers that decided.
    """

    took: Took
    kept: Kept
    text: str


def verdict_of(metrics: Metrics) -> Verdict | None:
    """The verdict on a rewrite, or None where the metrics are too few.

    Args:
        metrics: As in metrics.json: `inside`, `outside`, and either `oracle` or `targets` (what was
            `asked` of them, what is `left` of it, and `outside`), `region_source` and, where the
            map stands in for the region, `map` with the share that is `away`, its `peak` there and
            `where`, and `missed`, the share of samples that hardly changed.

    Example:
        >>> change = {"inside": {"l1": 0.3}, "outside": {"l1": 0.01}}
        >>> oracle = {"inside_before": {"l1": 0.4}, "inside_after": {"l1": 0.1}}
        >>> verdict_of({**change, "oracle": oracle}).took
        'took'
    """
    name = "lpips" if _number(metrics, "inside", "lpips") is not None else "l1"
    outside = _number(metrics, "outside", name)
    found = _by_oracle(metrics, name) or _by_targets(metrics, name)
    if outside is None or found is None:
        return None
    took, why = found
    kept, because = _kept(metrics, name, outside)
    return Verdict(took, kept, f"The rule {took}: {why}. {because}.")


def _by_oracle(metrics: Metrics, name: str) -> tuple[Took, str] | None:
    before = _number(metrics, "oracle", "inside_before", name)
    after = _number(metrics, "oracle", "inside_after", name)
    if not before or after is None:
        return None
    left = after / before
    to = "the pasted exemplar" if metrics.get("oracle_source") == "paste" else "a perfect rewrite"
    return _graded(left), (
        f"inside the region the distance to {to} ({name.upper()}) "
        f"{_moved(left)} {left:.0%} of what it was, from {before:.3f} to {after:.3f}"
    )


def _by_targets(metrics: Metrics, name: str) -> tuple[Took, str] | None:
    asked, rest = (_number(metrics, "targets", part, name) for part in ("asked", "left"))
    inside = _number(metrics, "inside", name)
    if not asked or rest is None or inside is None:
        return None
    left, transferred = rest / asked, inside / asked
    took = _graded(left)
    if transferred < TRANSFERRED_IN_PART:
        took = "did not take"
    elif took == "took" and transferred < TRANSFERRED:
        took = "took in part"
    why = (
        f"on the targets the distance to what was asked ({name.upper()}) {_moved(left)} "
        f"{left:.0%}, and unseen samples changed inside the region by {transferred:.0%} of it"
    )
    missed = _number(metrics, "missed")
    if metrics.get("region_source") == "similarity" and missed is not None and missed > MOST_MISSED:
        took = "took in part" if took == "took" else took
        why += f", but on {missed:.0%} of them less than half as much changed as on the targets"
    return took, why


def _graded(left: float) -> Took:
    if left <= TOOK_BELOW:
        return "took"
    return "took in part" if left <= IN_PART_BELOW else "did not take"


def _moved(left: float) -> str:
    if left > 1:
        return "rose to"
    return "fell to" if left <= IN_PART_BELOW else "is still"


def _kept(metrics: Metrics, name: str, outside: float) -> tuple[Kept, str]:
    limit, label = SPILLED_ABOVE[name], name.upper()
    if outside > limit:
        said = f"outside of the region images changed by {outside:.3f} ({label}), above {limit:g}"
        return "spilled", f"It spilled: {said}"
    on_targets = _number(metrics, "targets", "outside", name)
    if on_targets is not None and on_targets > limit:
        said = f"the targets changed by {on_targets:.3f} ({label}) outside of their regions"
        return "spilled", f"It spilled: {said}, above {limit:g}"
    if metrics.get("region_source") == "similarity":
        away, peak = (_number(metrics, "map", part) for part in ("away", "peak"))
        where = _at(metrics, "map", "where")
        if away is not None and away > MOST_AWAY:
            said = f"{away:.0%} of the map lies away from the targets' regions, most of it at the "
            return "spilled", f"It spilled: {said}{where}"
        if peak is not None and peak > HIGHEST_AWAY:
            said = f"the map on the targets is {peak:.0%} as strong as inside their regions"
            return "spilled", f"It spilled: at the {where} {said}"
    return "kept", f"The rest was kept: outside of the region it changed by {outside:.3f} ({label})"


def _number(metrics: Metrics, *path: str) -> float | None:
    """A number inside nested metrics; None if anything on the way is missing."""
    found = _at(metrics, *path)
    return float(found) if isinstance(found, (int, float)) else None


def _at(metrics: Metrics, *path: str) -> object:
    found: object = metrics
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
