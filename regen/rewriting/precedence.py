"""Who says which setting, where several places say settings.

The order is the same everywhere: the command line, then the edits file, then a file of settings
(``--config``), then the preset, then the default. Each place says what it says by dotted name, and
nothing else (`PartialSettings`); `merge` takes every setting from the first place that says it, and
keeps the name of that place, for the report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from regen.edits.checked_json import read_json, shown
from regen.errors import RewriteError
from regen.rewriting.checks import check_choice
from regen.rewriting.settings import NAMES, PRESETS, RewriteSettings, values_of

if TYPE_CHECKING:
    from regen.edits.schema import Edits

DEFAULT, CALLER = "default", "caller"
COMMAND_LINE, EDITS_FILE = "command line", "edits file"
PARTS = ("rule", "fit")

# What settings.json of a run folder holds beside settings: a record of the run, not a setting.
RECORDS = ("edits", "images", "layer_choice", "said_by")


@dataclass(frozen=True)
class PartialSettings:
    """What one place says about settings.

    Attributes:
        place: Its name, "edits file" for instance.
        values: By dotted name; only what is said.

    Raises:
        RewriteError: If a setting is unknown ("did you mean"), or its value is not one.
    """

    place: str
    values: Mapping[str, object]

    def __post_init__(self) -> None:
        for name, value in self.values.items():
            try:
                RewriteSettings().changed({name: value})
            except RewriteError as error:
                where = f"{self.place}: {name if name in NAMES else error.problem}"
                raise RewriteError(
                    where, got=error.got, expected=error.expected, remedy=error.remedy
                ) from error


@dataclass(frozen=True)
class Merged:
    """Settings, and who said each of them.

    Attributes:
        settings: All of them.
        said_by: Name of the place by dotted name of the setting, for every setting.
    """

    settings: RewriteSettings
    said_by: Mapping[str, str]

    def overridden(self, partial: PartialSettings) -> Merged:
        """The same with what `partial` says in place of what was said."""
        said_by = {**self.said_by, **dict.fromkeys(partial.values, partial.place)}
        return Merged(self.settings.changed(partial.values), said_by)


def merge(partials: Sequence[PartialSettings]) -> Merged:
    """Every setting from the first that says it; what none says is the default.

    Example:
        >>> merged = merge([PartialSettings("a", {"fit.steps": 5}),
        ...                 PartialSettings("b", {"fit.steps": 9, "fit.lr": 0.1})])
        >>> merged.settings.fit.steps, merged.settings.fit.lr
        (5, 0.1)
        >>> merged.said_by["fit.steps"], merged.said_by["fit.lr"], merged.said_by["fit.seed"]
        ('a', 'b', 'default')
    """
    merged = Merged(RewriteSettings(), dict.fromkeys(NAMES, DEFAULT))
    for partial in reversed(partials):
        merged = merged.overridden(partial)
    return merged


def settings_of_edits(edits: Edits) -> PartialSettings:
    """What an edits file says."""
    return PartialSettings(EDITS_FILE, values_of(edits))


def settings_of_preset(name: str) -> PartialSettings:
    """What a preset says. Raises RewriteError if there is no such preset ("did you mean")."""
    check_choice("preset", name, tuple(PRESETS))
    return PartialSettings(f"preset {name}", PRESETS[name])


def resolve(settings: RewriteSettings | Merged, edits: Edits) -> Merged:
    """Settings that are merged already as they are; a caller's, below what `edits` say."""
    if isinstance(settings, Merged):
        return settings
    return merge([settings_of_edits(edits), settings_of_caller(settings)])


def settings_of_caller(settings: RewriteSettings) -> PartialSettings:
    """What a caller from Python says: everything that is not the default."""
    default = dict(_flat(asdict(RewriteSettings())))
    said = {name: v for name, v in _flat(asdict(settings)) if v != default[name]}
    return PartialSettings(CALLER, said)


def read_settings(path: Path | str) -> PartialSettings:
    """Read a file of settings: JSON with some of what settings.json of a run folder holds.

    What is only a record of the run (`RECORDS`) is left aside, and null is not said.

    Returns:
        What it says, under the name of the file.

    Raises:
        RewriteError: If it is missing, not valid JSON, or says what is not a setting. The message
            names the file and the setting.
    """
    content = read_json(path, "settings, as JSON", RewriteError)
    if not isinstance(content, dict):
        raise RewriteError(str(path), got=shown(content), expected="an object {...}")
    for part in PARTS:
        if not isinstance(content.get(part, {}), dict):
            raise RewriteError(
                f"{path}: {part}", got=shown(content[part]), expected="an object {...}"
            )
    said = {name: value for name, value in content.items() if name not in RECORDS}
    return PartialSettings(str(path), {n: v for n, v in _flat(said) if v is not None})


def _flat(values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Settings by dotted name."""
    for name, value in values.items():
        if name in PARTS and isinstance(value, dict):
            yield from ((f"{name}.{inner}", one) for inner, one in value.items())
        else:
            yield name, value
