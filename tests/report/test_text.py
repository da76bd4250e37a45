"""`regen.report.text`: no folders, and nothing that does something to who reads it."""

from __future__ import annotations

import pytest

from regen.report.text import escape, without_folders


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/me/cat.png", "cat.png"),
        ("/home/me/my pictures/cat one.png", "cat one.png"),
        ("C:\\Users\\me\\my cat.png", "my cat.png"),
        ("photos/cat.png", "photos/cat.png"),
        (
            "regen rewrite --edits /home/me/e.json -o out/eyes",
            "regen rewrite --edits e.json -o out/eyes",
        ),
        ("regen generate --generator=/data/g.pt", "regen generate --generator=g.pt"),
        ("regen project '/home/me/my cat.png' -o /tmp/o", "regen project 'my cat.png' -o o"),
        (
            "{'exemplar': '/home/me/cat.png', 'mask': 'C:\\\\me\\\\a.png'}",
            "{'exemplar': 'cat.png', 'mask': 'a.png'}",
        ),
        (
            "weights are not in /home/me/.cache/torch; get https://x.org/a/b.pth",
            "weights are not in torch; get https://x.org/a/b.pth",
        ),
        ("3 / 4 and and/or", "3 / 4 and and/or"),
        ("LPIPS 0.1/0.2", "LPIPS 0.1/0.2"),
    ],
)
def test_of_an_absolute_path_the_name_remains(text: str, shown: str) -> None:
    assert without_folders(text) == shown


def test_what_cannot_be_printed_is_escaped() -> None:
    assert escape("a\x1b[2J\u202eb\ud800<script>") == "a\\x1b[2J\\u202eb\\ud800&lt;script&gt;"
