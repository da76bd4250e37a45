"""`regen.edits.checked_json`: JSON by hand, and where it is wrong."""

import pytest

from regen.edits.checked_json import did_you_mean, path_in_file, read_json, shown, shown_key
from regen.errors import EditsError, RewriteError


def write(folder, text):
    path = folder / "e.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def message(call, error=EditsError):
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


OTHER_TEXT = "is not text in UTF-8: expected an edits file, as JSON"


def test_json_is_read(tmp_path):
    path = write(tmp_path, '{"a": [1, {"b": null}], "c": "ü", "d": 1.5, "e": true}')
    assert read_json(path) == {"a": [1, {"b": None}], "c": "ü", "d": 1.5, "e": True}


def test_a_byte_order_mark_is_not_an_error(tmp_path):
    assert read_json(write(tmp_path, b"\xef\xbb\xbf[1]")) == [1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty: expected an edits file, as JSON"),
        (" \n", "is empty: expected an edits file, as JSON"),
        ("[,", "is not valid JSON: Expecting value at line 1, column 2"),
        ('{"a": 1,\n "b" 2}', "is not valid JSON: Expecting ':' delimiter at line 2, column 6"),
        ("[NaN]", "is not valid JSON: NaN is not a number in JSON"),
        ("[-Infinity]", "is not valid JSON: -Infinity is not a number in JSON"),
        ("{}".encode("utf-16"), f"{OTHER_TEXT}; save it as text in UTF-8"),
        ('{"é": 1}'.encode("latin-1"), OTHER_TEXT),
        (b"\x89PNG\r\n", OTHER_TEXT),
        ("[" * 200_000, "is nested too deeply to be read"),
        ("[" * 500_001, "has too many values: got about 500001, expected at most 500000"),
        ("9" * 5000, "has a number of 5000 digits, which no key takes"),
    ],
)
def test_what_is_not_json_is_refused(tmp_path, text, problem):
    path = write(tmp_path, text)
    assert message(lambda: read_json(path)).startswith(f"{path} {problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "key 'a' is written twice"),
        ('{"a": [0, {"b": {"c": 1, "c": 1}}]}', "a[1].b: key 'c' is written twice"),
        ('{"a": {"x": 1, "x": 2}, "a": 0}', "key 'a' is written twice"),
        ('{"' + "k" * 99 + '": 1, "' + "k" * 99 + '": 2}', f"key '{'k' * 57}...' is written twice"),
    ],
)
def test_a_key_that_is_written_twice_is_refused(tmp_path, text, problem):
    path = write(tmp_path, text)
    assert message(lambda: read_json(path)) == f"{path}: {problem}; remove one of them"


def test_what_is_not_a_file_is_refused(tmp_path, monkeypatch):
    assert message(lambda: read_json(tmp_path / "x")).endswith("x does not exist; check the path")
    assert message(lambda: read_json("x" * 5000)).endswith("x does not exist; check the path")
    assert "is not a file: expected an edits file" in message(lambda: read_json(tmp_path))

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, "{}")
    monkeypatch.setattr("pathlib.Path.read_text", refuse)
    assert message(lambda: read_json(path)) == f"{path} cannot be read: Permission denied"


def test_other_files_have_their_own_words_and_error(tmp_path):
    found = message(lambda: read_json(tmp_path, "settings, as JSON", RewriteError), RewriteError)
    assert found == f"{tmp_path} is not a file: expected settings, as JSON"


def test_values_are_shown_on_one_line_without_control_characters():
    assert shown({"a": [1, None, "ü"]}) == '{"a": [1, null, "ü"]}'
    assert shown("x" * 99) == '"' + "x" * 56 + "..."
    assert shown("a\u202eb\ud800\n") == '"a\\u202eb\\ud800\\n"'
    assert shown_key("a\x1b[1m") == "'a\\x1b[1m'"
    assert path_in_file(("a", 0, "b\u202e")) == "a[0].b\\u202e"
    nested = []
    for _ in range(100_000):
        nested = [nested]
    assert shown(nested) == "a value nested too deeply to show"


def test_only_a_near_word_is_suggested():
    assert did_you_mean("sead", ["region", "seed"]) == "did you mean 'seed'?"
    assert did_you_mean("xyz", ["region", "seed"]) is None
