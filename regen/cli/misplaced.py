"""Words that a command was given without an option, and the options they were meant for.

`regen rewrite portraits eyes.json` means `--generator portraits --edits eyes.json`, and the usage
error says so.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from os.path import isfile, join  # unlike those of Path, they take names that are too long
from shlex import quote

import click

from regen.files.run_files import GENERATOR_FILE, REWRITE_FILE
from regen.generators.names import BUNDLED

_SEEDS = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")
_REWRITE = re.compile(r"rewrite[^/]*(:-?[\d.]+)?$")


def remedy(ctx: click.Context, words: Sequence[str]) -> str | None:
    """What to write in place of the words that a command takes only behind an option.

    Args:
        ctx: Context of a command that was refused.
        words: All that stood behind its name.

    Returns:
        A sentence without its full stop; None where every word has its place, or one fits no
        option.
    """
    try:
        given, extra, _ = ctx.command.make_parser(ctx).parse_args(list(words))
    except click.UsageError:  # of an option, which is what the command was refused for
        return None
    options = [p for p in ctx.command.params if isinstance(p, click.Option)]
    free = {o for p in options if p.multiple or p.name not in given for o in p.opts}
    found = list(_placed(extra, free))
    if not found or len(found) < len(extra):
        return None
    return f"In place of {' '.join(map(quote, extra))} write {' '.join(found)}"


def _placed(words: Sequence[str], free: set[str]) -> Iterator[str]:
    """Words behind the likeliest option of those that are free; none where no option fits."""
    for word in words:
        option = next((name for name in _likely(word) if name in free), None)
        if option is not None:
            free.remove(option)
            yield f"{option} {quote(word)}"


def _likely(word: str) -> tuple[str, ...]:
    """The options that a word may be meant for, the likeliest first; none is for an empty one."""
    if not word:
        return ()
    if word.endswith(".json"):
        return ("--edits",)
    if _SEEDS.fullmatch(word):
        return ("--seeds",)
    if _REWRITE.search(word) or isfile(join(word, REWRITE_FILE)):
        return ("--rewrite", "-o")
    named = bool(difflib.get_close_matches(word, BUNDLED, 1))
    if named or isfile(word) or isfile(join(word, GENERATOR_FILE)):
        return ("--generator", "-o")
    return ("-o", "--generator")
