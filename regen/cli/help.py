"""The help of commands: options under headings, with the defaults that settings give them.

Nothing here imports the settings before the help is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click


class Grouped(click.Command):
    """A command whose help lists its options under headings.

    Args:
        headings: The heading of each group by the Python name of its first option. The others
            follow in the order in which they are declared.
    """

    def __init__(self, *args: Any, headings: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headings = headings

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups."""
        groups: dict[str, list[tuple[str, str]]] = {}
        heading = "Options"
        for option in self.get_params(ctx):
            if not isinstance(option, click.Option):
                continue
            heading = self.headings.get(option.name or "", heading)
            heading = "Help" if "--help" in option.opts else heading
            record = option.get_help_record(ctx)
            if record is not None:
                groups.setdefault(heading, []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)


class Setting(click.Option):
    """An option for one field of a settings dataclass; where it is not given, it is None.

    The default is that of the dataclass, which is looked up, and its module imported, only when
    the command's help is shown.

    Args:
        default_from: Gives the dataclass; the option's Python name is a field of it.
    """

    def __init__(self, *args: Any, default_from: Callable[[], object], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default_from = default_from

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option and its help, with the default at the end, where there is one."""
        record = super().get_help_record(ctx)
        if record is None or self.name is None:
            return record
        default = getattr(self.default_from(), self.name)
        if default is None:  # it depends on other settings; the help says how
            return record
        word = f"{default:g}" if isinstance(default, float) else default
        if isinstance(default, bool):
            word = "yes" if default else "no"
        text, _, more = record[1].partition("  [")  # the range of a number, in brackets
        return record[0], f"{text}  [default: {word}{f'; {more}' if more else ']'}"
