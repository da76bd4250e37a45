"""From a task to a rewrite: project and paste, find where the rule will act, fit the memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from torch import Tensor

from regen.files.as_json import to_json
from regen.rewriting.key_moments import Moments
from regen.rewriting.key_similarity import KeyMatcher
from regen.rewriting.memory import fit_memory
from regen.rewriting.moment_cache import key_moments
from regen.rewriting.preserved import Preserved, preserve
from regen.rewriting.rewrite import Rewrite
from regen.rewriting.rule import Rule
from regen.rewriting.task import Task
from regen.surroundings import unaffected

OnStep = Callable[[int, dict[str, float]], None]
OnPartial = Callable[[int, Rewrite], None]
Losses = dict[str, list[tuple[int, float]]]


@dataclass(frozen=True)
class Prepared:
    """Everything that a fit needs, before the first step.

    Attributes:
        rule: What should be recalled.
        preserved: What must stay unchanged, or None.
        matcher: Predicts where the rule will act.
    """

    rule: Rule
    preserved: Preserved | None
    matcher: KeyMatcher


@dataclass(frozen=True)
class Learned:
    """A rewrite, and what it was learned from.

    Attributes:
        rewrite: The weight change.
        rule: What it was fitted to.
        matcher: Predicts where the rule will act.
        losses: (step, value) pairs by name.
        stopped_after: Steps after which the fit was stopped, or None if it was completed.
    """

    rewrite: Rewrite
    rule: Rule
    matcher: KeyMatcher
    losses: Losses = field(default_factory=dict)
    stopped_after: int | None = None


@unaffected()
def prepare(task: Task) -> Prepared:
    """Build the rule of a task, and find what must stay unchanged and where the rule will act.

    What must stay is drawn from all samples, also where a rule is for some kinds of them (holes of
    one shape): otherwise the other kinds would drift.

    Raises:
        RegenError: If a region reaches outside its image, or the source has too few samples.
    """
    fit, rule = task.settings.fit, task.rule()
    preserved, matcher = preserve(task.generator, task.split, rule, fit, task.random_samples())
    return Prepared(rule, preserved, matcher)


@unaffected()
def moments_for(task: Task) -> Moments | None:
    """Second moments of keys, measured once for a generator, where the solver needs them."""
    if task.settings.fit.solver == "adam":
        return None
    return key_moments(task.generator, task.split, task.source, task.taken)


@unaffected()
def fit(
    task: Task,
    prepared: Prepared,
    moments: Moments | None,
    *,
    on_step: OnStep | None = None,
    on_partial: OnPartial | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Learned:
    """Fit the memory (section 4.2 of the paper).

    Args:
        task: What to learn.
        prepared: From `prepare`.
        moments: From `moments_for`.
        on_step: Called every few steps with the step and the losses.
        on_partial: Called as often with the number of steps taken and the rewrite so far.
        should_stop: Called after every step; once it returns True, the fit ends with what was
            learned until then.

    Raises:
        RewriteError: If the fit diverges.
    """
    losses: Losses = {}
    base = task.generator.digest()

    def report(step: int, terms: dict[str, float]) -> None:
        for name, value in terms.items():
            losses.setdefault(name, []).append((step, value))
        if on_step is not None:
            on_step(step, terms)

    def show(steps: int, deltas: dict[str, Tensor]) -> None:
        assert on_partial is not None
        on_partial(steps, _rewrite(task, base, deltas, steps))

    fitted = fit_memory(
        task.split,
        prepared.rule,
        task.settings.fit,
        prepared.preserved,
        moments,
        on_report=report,
        on_partial=None if on_partial is None else show,
        should_stop=should_stop,
    )
    stopped_after = fitted.steps if fitted.stopped else None
    rewrite = _rewrite(task, base, fitted.deltas, stopped_after)
    return Learned(rewrite, prepared.rule, prepared.matcher, losses, stopped_after)


def learn(
    task: Task,
    *,
    on_step: OnStep | None = None,
    on_partial: OnPartial | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Learned:
    """Learn the rule of a task (section 4.2 of the paper); the generator is not modified.

    Args:
        task: What to learn.
        on_step: Called every few steps with the step and the losses by name.
        on_partial: Called as often with the number of steps taken and the rewrite so far.
        should_stop: Called after every step; once it returns True, the fit ends with what was
            learned until then.

    Raises:
        RegenError: As `prepare`, or if the fit diverges.
    """
    return fit(
        task,
        prepare(task),
        moments_for(task),
        on_step=on_step,
        on_partial=on_partial,
        should_stop=should_stop,
    )


def learned_before(
    task: Task, rewrite: Rewrite, losses: Losses, stopped_after: int | None = None
) -> Learned:
    """What `learn` returned for a task, from what was kept of it.

    Args:
        task: What was learned.
        rewrite: The rewrite, as it was saved.
        losses: (step, value) pairs by name.
        stopped_after: Steps after which the fit was stopped, or None if it was completed.

    Raises:
        RegenError: As `prepare`.
    """
    prepared = prepare(task)
    return Learned(rewrite, prepared.rule, prepared.matcher, losses, stopped_after)


def _rewrite(
    task: Task, base: str, deltas: dict[str, Tensor], stopped_after: int | None
) -> Rewrite:
    made = to_json(asdict(task.settings))
    assert isinstance(made, dict)
    if stopped_after is not None:
        made["interrupted_after_steps"] = stopped_after
    return Rewrite(deltas, base, task.generator.family, made)
