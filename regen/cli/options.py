"""Options that commands share, by the same name and with the same help.

Some act before the command runs: --device, --threads and --seed import torch and set it up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from regen.allocator import keep_freed_memory
from regen.cli.torch_import import import_torch
from regen.cli.values import FilePath, RewriteStrength
from regen.errors import RegenError
from regen.seeds import LARGEST_SEED

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Command = TypeVar("Command", bound=Callable[..., Any])

BACKBONES = ("squeeze", "alex", "vgg")


def given(options: Mapping[str, Any], settings: type[DataclassInstance]) -> dict[str, Any]:
    """The options of a command that were given and are fields of a settings dataclass."""
    names = {field.name for field in fields(settings)}
    return {name: v for name, v in options.items() if name in names and v is not None}


def computing(command: Command) -> Command:
    """Add --device and --threads; the command receives the name of a torch device as `device`."""
    threads = click.option(
        "--threads",
        metavar="N",
        type=click.IntRange(1, 1024),
        expose_value=False,
        callback=_threads,
        help="Number of processor threads, by default chosen by torch. Beside other jobs they "
        "sleep instead of spinning while they wait for each other.",
    )
    return device_option(callback=_device)(threads(command))


def device_option(**attributes: Any) -> Callable[[Command], Command]:
    """--device, as it was given unless a callback turns it into another."""
    return click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda", "mps"]),
        default="auto",
        show_default=True,
        help="Where to compute. auto is cuda where torch finds a GPU, and cpu otherwise.",
        **attributes,
    )


def seed_option(**attributes: Any) -> Callable[[Command], Command]:
    """--seed, which seeds torch before the command runs."""
    return click.option(
        "--seed",
        metavar="N",
        type=click.IntRange(0, LARGEST_SEED),
        default=0,
        show_default=True,
        callback=_seed,
        help="Seed of all random numbers.",
        **attributes,
    )


def generator_option(**attributes: Any) -> Callable[[Command], Command]:
    """--generator."""
    text = "Generator to use: the name of a bundled one, a file, or the run folder of a training."
    return click.option("--generator", metavar="G", help=text, **attributes)


def rewrites_option(command: Command) -> Command:
    """--rewrite, any number of times; the command receives pairs of path and strength."""
    return click.option(
        "--rewrite",
        "rewrites",
        metavar="R[:STRENGTH]",
        type=RewriteStrength(),
        multiple=True,
        help="Rewrite to apply, a file or the run folder that holds it; r:0.5 applies it at half "
        "strength (repeat --rewrite to combine several).",
    )(command)


def folder_option(**attributes: Any) -> Callable[[Command], Command]:
    """-o DIR."""
    kind = FilePath(files=False)
    attributes.setdefault("help", "Folder to write the results to; made if it does not exist.")
    return click.option("-o", "--output", type=kind, metavar="DIR", **attributes)


def images_option(name: str = "images") -> Callable[[Command], Command]:
    """--images DIR; the command receives it as `name`."""
    return click.option(
        "--images",
        "--pictures",
        name,
        metavar="DIR",
        type=FilePath(files=False),
        help="Folder of images that a generator takes its samples from, if it needs images.",
    )


def projector_type() -> FilePath:
    """The file of a projector, or the run folder of its training."""
    return FilePath()


def file_type() -> FilePath:
    """A file to read or write."""
    return FilePath(folders=False)


def _device(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if ctx.resilient_parsing:
        return "cpu"
    keep_freed_memory()
    import_torch()
    _check_operators()
    from regen.threads import sleep_beside_others

    sleep_beside_others()
    if value == "cpu":
        return "cpu"
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if value == "auto":
        return "cuda" if there["cuda"] else "cpu"
    if not there[value]:
        raise RegenError(
            "--device", got=f"{value}, which torch does not find here", expected="auto or cpu"
        )
    return value


def _check_operators() -> None:
    """Raise at once if the operators that STYLEGAN2_OPS requests are missing."""
    if not os.environ.get("STYLEGAN2_OPS"):
        return
    from stylegan2_ops import implementation

    try:
        implementation()
    except (RuntimeError, ValueError) as error:
        raise RegenError(f"STYLEGAN2_OPS: {error}", remedy="or unset STYLEGAN2_OPS") from error


def _seed(ctx: click.Context, param: click.Parameter, value: int) -> int:
    if not ctx.resilient_parsing:
        import_torch()
        import torch

        torch.manual_seed(value)
    return value


def _threads(ctx: click.Context, param: click.Parameter, value: int | None) -> None:
    if value is not None and not ctx.resilient_parsing:
        import_torch()
        import torch

        # A program that calls commands computes afterwards as it did before.
        ctx.call_on_close(partial(torch.set_num_threads, torch.get_num_threads()))
        torch.set_num_threads(value)
