"""`regen.report.text`: what a report that is sent to others may show."""

import pytest

from regen.report.text import escape, without_folders


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/me/cat.png", "cat.png"),
        ("/home/me/my dog.png", "my dog.png"),
        (r"C:\Users\me\cat.png", "cat.png"),
        ("regen project /home/me/cat.png --device cpu", "regen project cat.png --device cpu"),
        ("regen project '/home/me/my dog.png'", "regen project 'my dog.png'"),
        ('regen project "/home/me/my dog.png"', 'regen project "my dog.png"'),
        ("examples/cat.png", "examples/cat.png"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("1/2 of the samples", "1/2 of the samples"),
    ],
)
def test_names_remain_of_absolute_paths(text: str, shown: str) -> None:
    assert without_folders(text) == shown


def test_marks_and_controls_are_escaped() -> None:
    assert escape("<b> & \x1b[2J") == "&lt;b&gt; &amp; \\x1b[2J"
