"""Which source a setting is taken from, where several sources give settings.

The order is the same everywhere: the command line, then the edits file, then a file of settings
(``--config``), then the preset, then the default. Each source gives some settings by dotted name
(`PartialSettings`); `merge` takes every setting from the first source that gives it, and keeps the
name of that source, for the report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from regen.edits.checked_json import read_json, shown
from regen.errors import RewriteError, within
from regen.rewriting.checks import check_choice
from regen.rewriting.presets import PRESETS
from regen.rewriting.settings import NAMES, RewriteSettings

if TYPE_CHECKING:
    from regen.edits.schema import Edits

DEFAULT, CALLER = "default", "caller"
COMMAND_LINE, EDITS_FILE = "command line", "edits file"
FAMILY = "family "  # before its name
PARTS = ("rule", "fit")

# Keys of settings.json in a run folder that are a record of the run, not a setting.
RECORDS = ("edits", "images", "layer_choice", "said_by")


@dataclass(frozen=True)
class PartialSettings:
    """The settings that one source gives.

    Attributes:
        origin: Name of the source, "edits file" for instance.
        values: By dotted name; only those that are given.

    Raises:
        RewriteError: If a setting is unknown ("did you mean"), or its value is not valid.
    """

    origin: str
    values: Mapping[str, object]

    def __post_init__(self) -> None:
        for name, value in self.values.items():
            try:
                RewriteSettings().changed({name: value})
            except RewriteError as error:
                where = f"{self.origin}: {name if name in NAMES else error.problem}"
                raise RewriteError(
                    where, got=error.got, expected=error.expected, remedy=error.remedy
                ) from error


@dataclass(frozen=True)
class Merged:
    """Settings, and the source of each of them.

    Attributes:
        settings: All of them.
        said_by: Name of the source by dotted name of the setting, for every setting.
    """

    settings: RewriteSettings
    said_by: Mapping[str, str]

    def overridden(self, partial: PartialSettings) -> Merged:
        """The same with the settings of `partial` in place of earlier ones."""
        said_by = {**self.said_by, **dict.fromkeys(partial.values, partial.origin)}
        return Merged(self.settings.changed(partial.values), said_by)

    @contextmanager
    def naming(self, name: str, edits: Edits) -> Iterator[None]:
        """Put the file that gives a setting, and its key, before what is raised in the block.

        Args:
            name: Dotted name of the setting.
            edits: Those whose settings were merged.
        """
        origin = self.said_by[name]
        if origin in (COMMAND_LINE, CALLER, DEFAULT) or origin.startswith(FAMILY):  # no file
            yield
            return
        key = name.rpartition(".")[2]
        with within(edits.where(key) if origin == EDITS_FILE else f"{origin}: {name}"):
            yield


def merge(partials: Sequence[PartialSettings]) -> Merged:
    """Every setting from the first that gives it, otherwise its default.

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


def merge_sources(
    given: PartialSettings, edits: Edits, config: Path | str | None, preset: str
) -> Merged:
    """The settings of a command, in the order of precedence.

    Args:
        given: By its options.
        edits: As read, before options changed them.
        config: A file of settings, or None.
        preset: Name of the preset.

    Raises:
        RewriteError: From `read_settings` and `settings_of_preset`.
    """
    files = [] if config is None else [read_settings(config)]
    return merge([given, settings_of_edits(edits), *files, settings_of_preset(preset)])


def settings_of_edits(edits: Edits) -> PartialSettings:
    """The settings of an edits file."""
    given = {
        "rule.align": edits.align,
        "rule.scale": edits.scale,
        "rule.shape": edits.shape,
        "rule.blend": edits.blend,
        "rule.feather_px": edits.feather,
        "fit.weight_new": edits.weights.new,
        "fit.weight_old": edits.weights.old,
        "memory_layers": edits.memory_layers,
        "value_layer": edits.value_layer,
    }
    said = {name: value for name, value in given.items() if value is not None}
    return PartialSettings(EDITS_FILE, said)


def settings_of_preset(name: str) -> PartialSettings:
    """The settings of a preset. Raises RewriteError for an unknown one ("did you mean")."""
    check_choice("preset", name, tuple(PRESETS))
    return PartialSettings(f"preset {name}", PRESETS[name])


def merge_caller(settings: RewriteSettings | Merged, edits: Edits) -> Merged:
    """Merged settings unchanged; a caller's settings with those of `edits` in precedence."""
    if isinstance(settings, Merged):
        return settings
    if not isinstance(settings, RewriteSettings):
        raise RewriteError(
            "settings",
            got=type(settings).__name__,
            expected="RewriteSettings",
            remedy="FitSettings are its fit, and RuleSettings its rule",
        )
    return merge([settings_of_edits(edits), settings_of_caller(settings)])


def settings_of_caller(settings: RewriteSettings) -> PartialSettings:
    """The settings of a caller from Python: every one that is not the default."""
    default = dict(_flat(asdict(RewriteSettings())))
    given = {name: v for name, v in _flat(asdict(settings)) if v != default[name]}
    return PartialSettings(CALLER, given)


def read_settings(path: Path | str) -> PartialSettings:
    """Read a file of settings: JSON with some of what settings.json of a run folder holds.

    Records of the run (`RECORDS`) are ignored, and so are settings that are null.

    Returns:
        Its settings, under the name of the file.

    Raises:
        RewriteError: If it is missing, not valid JSON, or has a key that is not a setting. The
            message names the file and the setting.
    """
    content = read_json(path, "settings, as JSON", RewriteError)
    if not isinstance(content, dict):
        raise RewriteError(str(path), got=shown(content), expected="an object {...}")
    for part in PARTS:
        if not isinstance(content.get(part, {}), dict):
            raise RewriteError(
                f"{path}: {part}", got=shown(content[part]), expected="an object {...}"
            )
    given = {name: value for name, value in content.items() if name not in RECORDS}
    return PartialSettings(str(path), {n: v for n, v in _flat(given) if v is not None})


def _flat(values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Settings by dotted name."""
    for name, value in values.items():
        if name in PARTS and isinstance(value, dict):
            yield from ((f"{name}.{inner}", one) for inner, one in value.items())
        else:
            yield name, value
