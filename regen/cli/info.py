"""`regen info`: what a file is, what it belongs to, and what is in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from regen.cli.torch_import import import_torch
from regen.cli.values import FilePath
from regen.errors import printable

_LONGEST_LIST = 12


@click.command("info")
@click.argument("files", metavar="FILE...", type=FilePath(), nargs=-1, required=True)
@click.option(
    "--generator",
    metavar="G",
    help="Generator that rewrites and projectors are compared with, by default the bundled ones.",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Show all settings and metrics of a run folder, not only what matters first.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print a JSON list with one object for each FILE, always with everything.",
)
def command(
    files: tuple[Path, ...], generator: str | None, everything: bool, as_json: bool
) -> None:
    """Explain a file of regen's or of another tool.

    A FILE is a generator, a projector, a rewrite, features, an edits or metrics file, a run folder,
    or a checkpoint of NVIDIA's, rosinality's, RFR-Inpainting's or MUNIT's, with a list of the
    classes it names. No code in a pickle is run.
    """
    import_torch()
    from regen.files.as_json import to_json
    from regen.runs.info import describe
    from regen.runs.run_summary import summary

    facts: list[Any] = [to_json(describe(file, generator)) for file in files]
    if as_json:
        click.echo(_printable_json(json.dumps(facts, indent=2, ensure_ascii=False)))
        return
    for index, one in enumerate(facts):
        if index:
            click.echo()
        short = one["format"] == "run folder" and not everything
        lines = _named(summary(one)) if short else _lines(one, 0)
        for line in lines:
            click.echo(printable(line))


def _named(lines: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"{name}: {text}" for name, text in lines)


def _printable_json(text: str) -> str:
    """JSON in which what cannot be printed is escaped; outside of texts there is nothing such."""
    return "\n".join(
        line if line.isprintable() else "".join(map(_escaped, line)) for line in text.split("\n")
    )


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    halves = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{halves[i : i + 4]}" for i in range(0, len(halves), 4))


def _lines(value: Any, indent: int) -> Iterator[str]:
    """An object as lines "key: value", deeper ones below it and further in."""
    space = "  " * indent
    for name, item in value.items():
        if isinstance(item, dict) and item:
            yield f"{space}{name}:"
            yield from _lines(item, indent + 1)
        elif isinstance(item, list) and any(isinstance(one, dict) for one in item):
            yield f"{space}{name}:"
            for one in item[:_LONGEST_LIST]:
                yield f"{space}  - {_short(one)}"
            if len(item) > _LONGEST_LIST:
                yield f"{space}  ... and {len(item) - _LONGEST_LIST} more"
        else:
            yield f"{space}{name}: {_short(item)}"


def _short(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_short(item)}" for name, item in value.items())
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str) and value.startswith("data:"):
        return _data_in_words(value)
    return "none" if value is None else str(value)


def _data_in_words(address: str) -> str:
    """Kind and size of what a data URI holds, which would fill the screen."""
    kind, _, content = address.removeprefix("data:").partition(",")
    in_base64 = kind.endswith(";base64")
    size = len(content) * 3 // 4 if in_base64 else len(content)
    shown = f"{size} bytes" if size < 1000 else f"{size / 1000:.0f} kB"
    return f"{kind.removesuffix(';base64') or 'text'}, {shown}"
