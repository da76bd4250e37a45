"""`regen examples`: copy the examples that ship with regen."""

from __future__ import annotations

from pathlib import Path

import click

from regen.cli.messages import say
from regen.cli.options import folder_option


@click.command("examples")
@folder_option(
    default=Path("examples"),
    show_default=True,
    help="Folder to copy them to; made if it does not exist.",
)
def command(output: Path) -> None:
    """Copy the example edits files and their images.

    Each runs as it is (`regen rewrite --edits FILE`), and is a start for an edits file of your
    own. Files of yours are never overwritten.
    """
    from regen.runs.examples import copy_examples, generator_of

    for path in copy_examples(output):
        say(f"{path}  ({generator_of(path)})")
