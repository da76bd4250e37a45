"""Rules: learned from paintings, kept in the session's folder, and measured for their reports.

A rule is learned from the edits file and the settings that are kept beside it, so the command line
repeats it from them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regen import api
from regen.editor.document import Rule
from regen.editor.kept import Kept
from regen.editor.painting import Json, Painting
from regen.editor.tasks import Tasks
from regen.files.as_json import to_json
from regen.files.atomic import write_json
from regen.files.run_files import EDITS_FILE

if TYPE_CHECKING:
    from regen.api import Learned, Rewrite, RewriteSettings

DRAFT: dict[str, object] = {"fit.steps": 20, "fit.preserve": 16, "fit.report_every": 4}
ON_WEIGHTS: dict[str, object] = {"fit.steps": 60, "fit.report_every": 10}


@dataclass(frozen=True)
class LearnedRule:
    """What came of learning.

    Attributes:
        key: Under which its files are kept.
        stopped_after: Steps after which it was stopped, or None.
        seconds: How long it took.
    """

    key: str
    stopped_after: int | None
    seconds: float


class Rules:
    """The rules of a session.

    Args:
        tasks: What paintings are for the generator.
        kept: The session's folder.
    """

    def __init__(self, tasks: Tasks, kept: Kept) -> None:
        self.tasks, self.bench, self.kept = tasks, tasks.bench, kept
        self._rewrites: dict[str, Rewrite] = {}

    def rewrite(self, key: str) -> Rewrite:
        """A rule's rewrite; read from its file once."""
        if key not in self._rewrites:
            self._rewrites[key] = api.Rewrite.load(self.kept.rewrite(key))
        return self._rewrites[key]

    def settings(self, kind: str) -> RewriteSettings:
        """Settings of a draft, or those that `regen rewrite` has by default."""
        plain = api.RewriteSettings()
        return plain.changed(self._draft) if kind == "draft" else plain

    @cached_property
    def _draft(self) -> Mapping[str, object]:
        """Steps on the weights are quicker, and more are needed."""
        usual = self.bench.task(api.Edits(edits=())).settings
        return DRAFT if usual.fit.solver != "adam" else {**DRAFT, **ON_WEIGHTS}

    def _given(self, kind: str) -> Json:
        """The settings that are not the generator's usual ones, for ``--config``."""
        given: Json = {}
        for name, value in (self._draft if kind == "draft" else {}).items():
            *parts, own = name.split(".")
            (given.setdefault(parts[0], {}) if parts else given)[own] = value
        return given

    def learn(
        self,
        painting: Painting,
        kind: str,
        key: str,
        *,
        on_step: Callable[[int, int, float], None],
        on_partial: Callable[[Any], None],
        should_stop: Callable[[], bool],
    ) -> LearnedRule:
        """Learn a painting's rule, and keep it under `key`.

        Args:
            painting: Lacks nothing.
            kind: "draft" or "full".
            key: No other rule has it.
            on_step: Called with the step, from 0, the number of steps, and the loss.
            on_partial: Called every few steps with the rewrite so far.
            should_stop: Whether somebody asked for the end.

        Raises:
            RegenError: If the painting is not usable, or the fit diverges.
        """
        began = time.perf_counter()
        settings = self.settings(kind)
        file = self.kept.write_rule(key, self.tasks.embedded(painting), self._given(kind))
        task = self.bench.task(api.read_edits(file), settings)
        steps = task.settings.fit.steps or 1
        learned = api.learn(
            task,
            on_step=lambda step, terms: on_step(step, steps, terms["total"]),
            on_partial=lambda _, rewrite: on_partial(rewrite),
            should_stop=should_stop,
        )
        self._keep(learned, key)
        return LearnedRule(key, learned.stopped_after, time.perf_counter() - began)

    def _keep(self, learned: Learned, key: str) -> None:
        write_json(self.kept.rule(key) / "losses.json", to_json(learned.losses))
        learned.rewrite.save(self.kept.rewrite(key))
        self._rewrites[key] = learned.rewrite

    def write_report(self, rule: Rule, folder: Path, command: str) -> None:
        """Measure a rule on unseen samples, and write its report into a folder."""
        from regen.runs.rewrite.conclude import conclude
        from regen.runs.timing import Stopwatch

        settings = self.settings(rule.kind)
        task = self.bench.task(api.read_edits(folder / EDITS_FILE), settings)
        losses = json.loads((folder / "losses.json").read_text(encoding="utf-8"))
        learned = api.learned_before(task, self.rewrite(rule.key), losses, rule.stopped_after)
        conclude(task, learned, folder, Stopwatch(), command)
