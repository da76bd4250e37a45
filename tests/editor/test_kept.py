"""The session's folder."""

from __future__ import annotations

import json

import pytest

from regen.editor.document import Document, Rule
from regen.editor.kept import Kept
from regen.editor.painting import Painting
from regen.errors import RegenError

DOCUMENT = Document(Painting("p"), (Rule("a", "Rule 1", Painting("q")),))


def test_a_document_is_found_again(kept: Kept) -> None:
    assert kept.load("portraits") is None
    kept.save(DOCUMENT, "portraits")
    assert Kept(kept.folder).load("portraits") == DOCUMENT


def test_another_generator_is_refused(kept: Kept) -> None:
    kept.save(DOCUMENT, "portraits")
    with pytest.raises(RegenError, match="session of another generator: got portraits, expected g"):
        kept.load("g.safetensors")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"version": 1}', '{"version": 1, "rules": 3}', "[" * 100_000],
    ids=range(7),
)
def test_a_damaged_file_is_refused_in_one_line(kept: Kept, text: str) -> None:
    (kept.folder / "session.json").write_text(text)
    with pytest.raises(RegenError, match="is not a session that can be read; choose another"):
        kept.load("portraits")


def test_a_newer_version_is_refused(kept: Kept) -> None:
    (kept.folder / "session.json").write_text('{"version": 2}')
    with pytest.raises(RegenError, match="version: got 2, expected 1; update regen"):
        kept.load("portraits")


def test_equal_pictures_are_kept_once(kept: Kept) -> None:
    first, again, other = kept.picture(b"a"), kept.picture(b"a"), kept.picture(b"b")
    assert first == again != other and first.read_bytes() == b"a"
    assert first.parent.parent == kept.folder


def test_what_a_rule_is_learned_from(kept: Kept) -> None:
    file = kept.write_rule("k", {"version": 1}, {"fit": {}})
    assert file.name == "edits.json" and file.parent == kept.rule("k")
    assert (file.parent / "settings.json").is_file()
    assert kept.rewrite("k").parent == file.parent and kept.exports().is_dir()


def test_what_a_killed_editor_left_in_the_middle_is_removed(kept: Kept) -> None:
    kept.write_rule("whole", {}, {})
    kept.rewrite("whole").write_bytes(b"x")
    kept.write_rule("begun", {}, {})
    (kept.write_rule("with notes", {}, {}).parent / "notes.txt").touch()
    part = ".0123456789abcdef.part.png"
    for folder in (kept.picture(b"a").parent, kept.exports(), kept.rule("whole")):
        (folder / part).touch()
    kept.clear_unfinished()
    assert not list(kept.folder.rglob(part))
    rules = kept.folder / "rules"
    left = sorted(path.relative_to(rules).as_posix() for path in rules.glob("*/*"))
    assert left == ["whole/edits.json", "whole/rewrite.safetensors", "whole/settings.json"] + [
        "with notes/notes.txt"
    ]
    assert not (rules / "begun").exists()
    assert len(list((kept.folder / "pictures").iterdir())) == 1


@pytest.mark.parametrize(
    "change",
    [{"key": "../../x"}, {"key": "/etc"}, {"key": ""}, {"key": 3}, {"strength": "1"}]
    + [{"strength": float("nan")}, {"strength": 10**400}, {"other": 1}],
    ids=str,
)
def test_a_rule_that_nobody_can_have_made_is_refused(kept: Kept, change: dict[str, object]) -> None:
    """Whoever made the folder: no name in it leads out of it."""
    kept.save(DOCUMENT, "portraits")
    path = kept.folder / "session.json"
    content = json.loads(path.read_text())
    content["rules"][0].update(change)
    path.write_text(json.dumps(content))
    with pytest.raises(RegenError, match="is not a session that can be read; choose another"):
        kept.load("portraits")


@pytest.mark.parametrize("size", [(10**9, 1), (60_000, 60_000), (0, 8), ("8", 8), (8.5, 8)])
def test_a_size_that_no_picture_has_is_refused(kept: Kept, size: tuple[object, object]) -> None:
    picture = {"source": "a.png", "name": "a", "height": 8, "width": 8, "alpha": ""}
    target = {"key": "t", "sample": {"seed": 1}, "label": "seed 1", "strokes": []}
    kept.save(DOCUMENT, "portraits")
    path = kept.folder / "session.json"
    content = json.loads(path.read_text())
    for change in (
        {"picture": {**picture, "height": size[0], "width": size[1]}},
        {"targets": [{**target, "own_size": size}]},
    ):
        path.write_text(json.dumps({**content, "painting": {**content["painting"], **change}}))
        with pytest.raises(RegenError, match="is not a session that can be read"):
            kept.load("portraits")
