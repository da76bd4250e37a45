"""Markdown files of which a program writes some sections, and keeps the others."""

from __future__ import annotations

import re


def with_section(text: str, part: str, title: str, body: str) -> str:
    """A Markdown text with one section written anew; all others stay as they are, in their order.

    Args:
        text: Empty for a new file.
        part: The heading of the first level that the section stands under; comes last where there
            is none.
        title: The section's own heading, of the second level; comes last in its part where there is
            none.
        body: Without headings of these levels, or lines of code that look like them.

    Returns:
        The text, which ends in one newline.

    >>> print(with_section("# CUDA\\n\\nkept", "Times", "blur", "2 ms"), end="")
    # CUDA
    <BLANKLINE>
    kept
    <BLANKLINE>
    # Times
    <BLANKLINE>
    ## blur
    <BLANKLINE>
    2 ms
    """
    pieces = [piece.rstrip() for piece in re.split(r"^(?=##? )", text, flags=re.MULTILINE)]
    heads = [piece.partition("\n")[0] for piece in pieces]
    if f"# {part}" not in heads:
        pieces, heads = [*pieces, f"# {part}"], [*heads, f"# {part}"]
    first = heads.index(f"# {part}")
    later = range(first + 1, len(heads))
    end = next((i for i in later if heads[i].startswith("# ")), len(heads))
    at = next((i for i in range(first, end) if heads[i] == f"## {title}"), end)
    pieces[at : at + (at < end)] = [f"## {title}\n\n{body.strip()}"]
    return "\n\n".join(filter(None, pieces)) + "\n"
