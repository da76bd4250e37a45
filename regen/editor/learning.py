"""Learning a rule: one fit at a time, which every page can watch and stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from regen.editor.asking import Asking
from regen.editor.channels import Channels
from regen.editor.commands import new_key
from regen.editor.document import Document, Rule
from regen.editor.messages import MessageError
from regen.editor.painting import Json, Painting

if TYPE_CHECKING:
    from regen.api import Rewrite
    from regen.editor.engine import Engine
    from regen.editor.rules import LearnedRule

KINDS = ("draft", "full")


@dataclass
class Learning:
    """A fit that runs.

    Attributes:
        painting: What it learns.
        kind: "draft" or "full".
        stop: Whether somebody asked it to stop.
    """

    painting: Painting
    kind: str
    stop: bool = False


class Learner:
    """Learns rules in the worker.

    Args:
        asking: The way to the worker.
        channels: What pages see: the curve, and the unseen samples every few steps.
        document: Gives what the session shows; people go on painting while a rule is learned.
        learned: Called with the rule, and the seconds that it took.
        failed: Called with the error that ended it.

    Attributes:
        running: The fit that runs, or None.
    """

    def __init__(
        self,
        asking: Asking,
        channels: Channels,
        document: Callable[[], Document],
        learned: Callable[[Rule, float], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self.asking, self.channels, self.document = asking, channels, document
        self.learned, self.failed = learned, failed
        self.running: Learning | None = None

    def begin(self, engine: Engine, kind: str) -> None:
        """Learn what the session shows. What is missing there is found in the worker, and ends it.

        Raises:
            MessageError: If a rule is being learned already.
        """
        if self.running is not None:
            raise MessageError("a rule is being learned already", remedy="stop it first")
        learning = self.running = Learning(self.document().painting, kind)
        self.channels.show("learning", step=0, steps=0, losses=[])

        def learned(found: LearnedRule) -> None:
            self.running = None
            self.learned(self._rule(learning, found), found.seconds)

        def failed(error: BaseException) -> None:
            self.running = None
            self.failed(error)

        self.asking.long(lambda: self._fit(engine, learning), learned, failed)

    def stop(self) -> None:
        """Ask the fit to stop after its step; what it has learned is kept."""
        if self.running is not None:
            self.running.stop = True

    def to_json(self) -> Json | None:
        """What a page draws of the fit that runs."""
        running = self.running
        return None if running is None else {"kind": running.kind, "stop": running.stop}

    def _fit(self, engine: Engine, learning: Learning) -> LearnedRule:
        """In the worker: learn, and show the unseen samples every few steps."""
        asking, channels = self.asking, self.channels
        missing = engine.tasks.missing(learning.painting)
        if missing:
            raise MessageError(missing)
        losses: list[tuple[int, float]] = []

        def on_step(step: int, steps: int, loss: float) -> None:
            losses.append((step, loss))
            done = list(losses)
            asking.post(lambda: channels.show("learning", step=step, steps=steps, losses=done))

        def on_partial(rewrite: Rewrite) -> None:
            document = self.document()
            others = tuple(
                (rule.key, rule.strength)
                for rule in document.rules
                if rule.on and rule.painting.key != learning.painting.key
            )
            images = engine.views.after(document.painting, others, rewrite)
            asking.post(lambda: self._show_partial(learning, images, len(others) + 1))

        def should_stop() -> bool:
            asking.worker.breathe()
            return learning.stop or asking.worker.closed

        return engine.rules.learn(
            learning.painting,
            learning.kind,
            new_key(),
            on_step=on_step,
            on_partial=on_partial,
            should_stop=should_stop,
        )

    def _rule(self, learning: Learning, found: LearnedRule) -> Rule:
        return Rule(
            found.key,
            f"Rule {1 + len(self.document().rules)}",
            learning.painting,
            kind=learning.kind,
            stopped_after=found.stopped_after,
        )

    def _show_partial(self, learning: Learning, images: list[str], rules: int) -> None:
        if self.running is learning:
            self.channels.show("after", images=images, rules=rules, partial=True)
