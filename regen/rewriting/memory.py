"""Teach a generator's memory a rule: chosen keys must recall chosen values.

The convolutions between key and value, with their nonlinearities, are one associative memory
(section 3.2 of the paper). A rule defines which values its keys should recall; *preserved* random
samples define what else must stay unchanged. Fitting minimises the weighted L1 of what is recalled,
measured on values (section 4.2, Eq. (11)), on the decoded image, or on both. The memory is never
modified.

Shapes: T targets; P preserved samples; C, h, w the value; H, W height and width of the image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from regen.errors import RewriteError
from regen.generators.convolution_keys import KeyedSplit
from regen.generators.split import Split
from regen.rewriting.closed_form import closed_form
from regen.rewriting.coordinates import Coordinates, key_map
from regen.rewriting.crops import Crops, plan_crops
from regen.rewriting.key_moments import Moments, measure_moments
from regen.rewriting.objective import Drawn, Losses
from regen.rewriting.preserved import Preserved
from regen.rewriting.rule import Rule
from regen.rewriting.rule_keys import rule_moments
from regen.rewriting.settings import FitSettings
from regen.training.frozen import frozen
from regen.training.graphs import Graphs, graphs_for
from regen.training.quick_adam import QuickAdam, decline, rise_and_decline

Report = Callable[[int, dict[str, float]], None]
Partial = Callable[[int, dict[str, Tensor]], None]

_BETAS = (0.9, 0.99)
_QUICK_BETAS = (0.7, 0.9)  # in few steps, old gradients mislead


@dataclass(frozen=True)
class Fitted:
    """The result of a fit.

    Attributes:
        deltas: One for each changed parameter, float32, under the generator's own name for it.
        steps: Gradient steps that were taken.
        stopped: Whether it was stopped before its last step.
    """

    deltas: dict[str, Tensor]
    steps: int
    stopped: bool = False


def fit_memory(
    split: Split,
    rule: Rule,
    settings: FitSettings,
    preserved: Preserved | None = None,
    moments: Moments | None = None,
    *,
    on_report: Report | None = None,
    on_partial: Partial | None = None,
    should_stop: Callable[[], bool] | None = None,
    graphs: Graphs | None = None,
) -> Fitted:
    """Find the change of the memory's weights that makes it recall `rule`.

    On values alone and without preserved samples this minimises Eq. (11) of the paper, section 4.2.

    Args:
        split: The generator; its memory is in eval mode and is not modified.
        rule: Keys, wanted values and masks.
        settings: How to fit; the solver "auto" looks at keys where `moments` are given.
        preserved: What else must stay unchanged, or None.
        moments: Second moments of keys for all solvers but "adam", see
            `regen.rewriting.moment_cache`; by default they are measured on the preserved samples.
        on_report: Called with the step and the losses on its preserved samples, which are others
            in each step; by the closed form alone with step 0 for the start and step 1 for the end.
        on_partial: Called every `report_every` steps with the number of steps taken and the
            changes as far as they are learned, named as in the result.
        should_stop: Called after every step; the fit ends once it returns True.
        graphs: How a step runs, for this fit alone; by default it is recorded on a GPU, where the
            family's steps can be.

    Raises:
        RewriteError: If the loss explodes or is not finite, or the solver lacks what it needs;
            nothing is changed then.
    """
    keyed = isinstance(split, KeyedSplit) and moments is not None
    settings = settings.resolved(
        keyed=keyed, layers=split.memory_layers, area=float(rule.image_mask.mean())
    )
    before = split.memory_parameters()
    graphs = graphs or graphs_for(rule.wanted.device, recordable=split.recordable)
    steps, stopped = 0, False
    with frozen(split.memory):
        crops = _crops(split, rule, settings, graphs)
        losses = Losses(split, rule, settings, preserved, crops)
        coordinates = _coordinates(split, rule, settings, preserved, moments, crops)
        if settings.solver == "closed-form":
            _report_ends(losses, before, coordinates.start, on_report)
        else:
            for steps in _descend(losses, coordinates, settings, graphs, on_report):
                if on_partial is not None and steps % settings.report_every == 0:
                    on_partial(steps, _deltas(split, before, coordinates))
                last = steps == settings.steps
                stopped = should_stop is not None and should_stop() and not last
                if stopped:
                    break
            if not stopped:  # no further step looks at what the last one left
                _check_end(losses, coordinates, settings)
    return Fitted(_deltas(split, before, coordinates), steps, stopped)


def _crops(split: Split, rule: Rule, settings: FitSettings, graphs: Graphs) -> Crops | None:
    """The windows to fit on, or None for whole images.

    Those of preserved samples are others in each step, which would be another recording each time;
    and where steps are recorded, arithmetic is cheap.
    """
    return plan_crops(split, rule) if settings.crops and not graphs.records else None


def _coordinates(
    split: Split,
    rule: Rule,
    settings: FitSettings,
    preserved: Preserved | None,
    moments: Moments | None,
    crops: Crops | None,
) -> Coordinates:
    """Where the solver starts, and along what it takes its steps."""
    before = split.memory_parameters()
    if settings.solver == "adam":
        return Coordinates(before)
    known = moments if moments is not None else _moments_of(split, preserved)
    keyed = [name for name in before if name in known]
    if settings.solver == "keys":
        own = rule_moments(split, rule, preserved, keyed)
        return Coordinates(before, {name: key_map(known[name], own[name]) for name in keyed})
    start = {**before, **closed_form(split, rule, settings, known, crops=crops)}
    return Coordinates(start, {name: key_map(known[name]) for name in keyed})


@torch.no_grad()
def _deltas(split: Split, before: dict[str, Tensor], coordinates: Coordinates) -> dict[str, Tensor]:
    """The change of each weight, float32, under the generator's own name for it."""
    after = coordinates.weights()
    return {split.full_name(n): (after[n].detach() - before[n]).float() for n in before}


def _moments_of(split: Split, preserved: Preserved | None) -> Moments:
    if preserved is None or len(preserved) == 0:
        raise RewriteError(
            "this solver needs second moments of keys",
            got="neither moments nor preserved samples",
            remedy="give `moments`, see regen.rewriting.moment_cache",
        )
    return measure_moments(split, (preserved.keys.select([i]) for i in range(len(preserved))))


def _report_ends(
    losses: Losses, before: dict[str, Tensor], after: dict[str, Tensor], report: Report | None
) -> None:
    """Report the losses at the start and at the end of a fit without steps."""
    for step, weights in enumerate((before, after)):
        with torch.no_grad():
            terms = {name: term.item() for name, term in losses(weights).items()}
        total = sum(terms.values())
        if step == 0:
            losses.begin(total)
        _check(step, total, losses.limit, "take the solver adam")
        if report is not None:
            report(step, {"total": total, **terms})


def _descend(
    losses: Losses,
    coordinates: Coordinates,
    settings: FitSettings,
    graphs: Graphs,
    on_report: Report | None,
) -> Iterator[int]:
    """Improve the variables in place, yielding after each step how many have been taken."""
    variables = list(coordinates.variables.values())

    def evaluate(drawn: Drawn | None) -> tuple[dict[str, Tensor], tuple[Tensor, ...]]:
        """The terms with their total, and gradients: a pure function, see `Graphs`."""
        terms = losses.terms(coordinates.weights(), drawn)
        loss = torch.stack(list(terms.values())).sum()
        found = torch.autograd.grad(loss, variables)
        return {name: term.detach() for name, term in ({"total": loss} | terms).items()}, found

    (count, lr), quick = settings.schedule, settings.solver != "adam"
    adam = QuickAdam(variables, _QUICK_BETAS if quick else _BETAS)
    for step in range(count):
        terms, gradients = graphs.run("step", evaluate, losses.draw())
        share = rise_and_decline((step + 0.5) / count) if quick else decline(step / count)
        adam.step(gradients, lr * share)
        if step % settings.report_every == 0 or step == count - 1:
            reported = dict(zip(terms, torch.stack(list(terms.values())).tolist(), strict=True))
            if step == 0:
                losses.begin(reported["total"])
            _check(step, reported["total"], losses.limit, _lower(lr))
            if on_report is not None:
                on_report(step, reported)
        yield step + 1


@torch.no_grad()
def _check_end(losses: Losses, coordinates: Coordinates, settings: FitSettings) -> None:
    """Raise RewriteError if the last step diverged."""
    count, lr = settings.schedule
    terms = losses(coordinates.weights())
    _check(count, torch.stack(list(terms.values())).sum().item(), losses.limit, _lower(lr))


def _lower(lr: float) -> str:
    return f"lower lr, now {lr:g}"


def _check(step: int, loss: float, limit: float, remedy: str) -> None:
    if not loss <= limit:
        remedy = remedy if step else "look for numbers that are not finite"
        raise RewriteError(f"the fit diverged at step {step}", got=f"loss {loss:g}", remedy=remedy)
