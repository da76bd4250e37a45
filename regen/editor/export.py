"""The files that are handed out, and the commands that repeat them.

edits.json            of one rule, with its images inside: `regen rewrite --edits` learns it again
rewrite.safetensors   of one rule, as learned
report.html           of one rule, measured on unseen samples
generator.*           the generator with all rules that are on, in a format of `regen convert`
session.zip           all of these but the generator, and commands.txt
"""

from __future__ import annotations

import json
import shlex
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regen.editor.document import Document, Rule
from regen.editor.messages import MessageError
from regen.files.atomic import atomic_write, write_bytes
from regen.files.run_files import EDITS_FILE, REPORT_FILE, REWRITE_FILE, SETTINGS_FILE

if TYPE_CHECKING:
    from regen.editor.engine import Engine

_OF_A_RULE = (EDITS_FILE, SETTINGS_FILE, REWRITE_FILE, REPORT_FILE)


def export(engine: Engine, document: Document, what: str) -> Path:
    """Make a file.

    Args:
        engine: With the generator and the rewrites.
        document: What is exported.
        what: "edits RULE", "rewrite RULE", "report RULE", "generator .SUFFIX" or "everything".

    Returns:
        The file, in the session's folder for exports.

    Raises:
        RegenError: If there is no such rule, the format cannot hold the generator, or the file
            cannot be written.
    """
    kind, _, which = what.partition(" ")
    if kind == "everything":
        return _everything(engine, document)
    if kind == "generator":
        return _generator(engine, document, which)
    if kind not in ("edits", "rewrite", "report"):
        known = "edits, rewrite, report, generator or everything"
        raise MessageError("export", got=kind[:40], expected=known)
    rule = document.rule(which)
    if kind == "report":
        return _copied(engine, _report(engine, rule), f"{_slug(rule)}-report.html")
    name = EDITS_FILE if kind == "edits" else REWRITE_FILE
    return _copied(engine, engine.kept.rule(rule.key) / name, f"{_slug(rule)}-{name}")


def _slug(rule: Rule) -> str:
    """A rule's name as part of the name of a file."""
    letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in rule.name.lower())
    return "-".join(part for part in letters.split("-") if part)[:40] or "rule"


def _folders(document: Document) -> list[tuple[Rule, str]]:
    """Each rule with the name of its folder; those of equal names get a number."""
    found: list[tuple[Rule, str]] = []
    for rule in document.rules:
        name, used = _slug(rule), {name for _, name in found}
        numbered = (f"{name}-{number}" for number in range(2, len(used) + 3))
        found.append(
            (rule, name if name not in used else next(n for n in numbered if n not in used))
        )
    return found


def _copied(engine: Engine, source: Path, name: str) -> Path:
    target = engine.kept.exports() / name
    write_bytes(target, source.read_bytes())
    return target


def _rule_on(document: Document) -> list[Rule]:
    rules = [rule for rule in document.rules if rule.on]
    if not rules:
        raise MessageError("export", got="no rule that is on", expected="at least one")
    return rules


def _generator(engine: Engine, document: Document, suffix: str) -> Path:
    """The generator with the rules that are on, as `regen convert` writes it."""
    from regen.runs.convert import convert

    rewrites = [(engine.kept.rewrite(rule.key), rule.strength) for rule in _rule_on(document)]
    target = engine.kept.exports() / f"generator{suffix if suffix.startswith('.') else ''}"
    convert(engine.name, target, rewrites=rewrites)
    return target


def _report(engine: Engine, rule: Rule) -> Path:
    """The report of a rule, measured when it is first asked for."""
    folder = engine.kept.rule(rule.key)
    if not (folder / REPORT_FILE).is_file():
        command = _command(rule, EDITS_FILE, SETTINGS_FILE, "again")
        engine.rules.write_report(rule, folder, command)
    return folder / REPORT_FILE


def _command(rule: Rule, edits: str, settings: str, folder: str) -> str:
    words = ["regen", "rewrite", "--edits", edits]
    words += ["--config", settings] if rule.kind == "draft" else []
    return shlex.join([*words, "-o", folder])


def commands(engine: Engine, document: Document, folder: str = "") -> str:
    """The commands that repeat the session, one a line.

    Args:
        engine: For the generator's name.
        document: Whose rules are repeated.
        folder: What the names of files begin with.
    """
    lines, used = [], ["regen", "generate"]
    for rule, name in _folders(document):
        place = f"{folder}{name}"
        note = "  # was stopped; this learns it to the end" if rule.stopped_after else ""
        edits, settings = f"{place}/{EDITS_FILE}", f"{place}/{SETTINGS_FILE}"
        command = _command(rule, edits, settings, f"{place}/again")
        lines.append(command + note)
    if engine.name != "portraits":
        used += ["--generator", engine.name]
    for rule, name in _folders(document):
        if rule.on:
            used += ["--rewrite", f"{folder}{name}/{REWRITE_FILE}:{rule.strength:g}"]
    samples = ["--images", str(engine.images)] if engine.images else _seeds(document)
    lines.append(shlex.join([*used, *samples, "-o", "images"]))
    return "\n".join(lines) + "\n"


def _seeds(document: Document) -> list[str]:
    """Samples in the manner of the first target that a rule was learned from, as the page's are."""
    targets = (target for rule in document.rules if rule.on for target in rule.painting.targets)
    first = next(targets, None)
    words = []
    if first is not None:
        name = None if first.hole else first.sample.get("hole", {}).get("portraits")
        words += [] if name is None else ["--hole", name]
        psi = first.sample.get("truncation", 1)
        words += [] if psi == 1 else ["--truncation", f"{psi:g}"]
    return [*words, "--seeds", "0-63"]


def _everything(engine: Engine, document: Document) -> Path:
    """All that is small, and the commands that make the rest of it."""
    if not document.rules:
        raise MessageError("export", got="no rule yet", expected="at least one")
    target = engine.kept.exports() / "session.zip"
    with atomic_write(target) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as whole:
        for rule, place in _folders(document):
            folder = engine.kept.rule(rule.key)
            there = [name for name in _OF_A_RULE if (folder / name).is_file()]
            for name in there:
                whole.write(folder / name, f"{place}/{name}")
        whole.writestr("commands.txt", commands(engine, document))
        whole.writestr("rules.json", json.dumps(_stack(document), indent=2))
    return target


def _stack(document: Document) -> list[dict[str, Any]]:
    return [
        {"name": rule.name, "folder": name, "strength": rule.strength, "on": rule.on}
        for rule, name in _folders(document)
    ]
