"""The command `regen`; each command has its own module.

A command parses, calls one library function, and prints. Nothing in this folder imports torch
before the command runs, so that help and usage errors appear at once.
"""

from __future__ import annotations

import click

from regen.cli import (
    convert,
    doctor,
    edit,
    examples,
    generate,
    info,
    project,
    rewrite,
    train_generator,
    train_projector,
)
from regen.cli.messages import Verbs

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


_ENVIRONMENT = (
    "Each command has its own --help. REGEN_PROGRESS=off in the environment hides the "
    "progress of long runs."
)


@click.group("regen", cls=Verbs, context_settings=_SETTINGS, epilog=_ENVIRONMENT)
@click.version_option(package_name="regen", prog_name="regen")
def main() -> None:
    """Project an image that a generator has never seen, and rewrite the generator with it."""


for _verb in (
    rewrite,
    edit,
    generate,
    project,
    train_generator,
    train_projector,
    convert,
    info,
    examples,
    doctor,
):
    main.add_command(_verb.command)
