"""Errands: what a page asks for once, and the worker fetches: regions of samples, or a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from regen.editor.asking import Asking
from regen.editor.channels import Channels, line_of
from regen.editor.document import Document
from regen.editor.export import export
from regen.editor.messages import Message, number, text
from regen.editor.painting import Json, Painting

if TYPE_CHECKING:
    from regen.editor.engine import Engine


def suggest(
    asking: Asking, channels: Channels, engine: Engine, painting: Painting, message: Message
) -> None:
    """Tell all pages which regions of a target there are around a click.

    Raises:
        MessageError: If the message names no target, or no point of it.
    """
    target = painting.target(message.get("target"))
    height, width = engine.sampling.size
    x, y = number(message, "x", 0, width), number(message, "y", 0, height)
    name = text(message, "name") if "name" in message else ""

    def then(found: list[Json]) -> None:
        channels.tell("suggested", target=target.key, found=found)

    compute = partial(engine.suggestions.suggest, target, x, y, name)
    asking.quick(f"suggest {target.key}", compute, then, rank=1)


def carry(
    asking: Asking,
    engine: Engine,
    painting: Painting,
    message: Message,
    then: Callable[[Mapping[str, str]], None],
) -> None:
    """Find the region of one target in the others.

    Args:
        asking: The way to the worker.
        engine: Finds it.
        painting: With the targets.
        message: Names the target.
        then: Called with masks by the keys of the other targets.

    Raises:
        MessageError: If the message names no target.
    """
    target = painting.target(message.get("target"))
    asking.quick("carry", partial(engine.suggestions.carried, painting, target), then, rank=1)


def make_file(
    asking: Asking, channels: Channels, engine: Engine, document: Document, message: Message
) -> None:
    """Make a file to hand out, and show that it is there; see `regen.editor.export`.

    Raises:
        MessageError: If the message does not say which.
    """
    what = text(message, "what")

    def show(file: Json | None = None, *, working: bool = False, problem: str = "") -> None:
        channels.show("export", what=what, file=file, working=working, problem=problem)

    def then(made: Path) -> None:
        show({"name": made.name, "bytes": made.stat().st_size})

    def failed(error: BaseException) -> None:
        show(problem=line_of(error))

    show(working=True)
    asking.long(partial(export, engine, document, what), then, failed)
