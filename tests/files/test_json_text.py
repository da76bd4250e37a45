"""`regen.files.json_text`: JSON that is not deep, and of numbers that fit."""

import json

import pytest

from regen.files.json_text import JsonLimitError, parse_json


def nested(levels, opening, closing, inner=""):
    return opening * levels + inner + closing * levels


@pytest.mark.parametrize(
    "text",
    ['{"a": [1, -2.5e3, true, null, "\\ud800"]}', "3", nested(60, "[", "]"), "1" * 40, "1e300"],
)
def test_what_files_hold_is_read_as_the_json_module_reads_it(text):
    assert parse_json(text) == json.loads(text)
    assert parse_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (nested(66, "[", "]"), "nested deeper than 64 levels"),
        (nested(100_000, "[", "]"), "nested deeper than 64 levels"),
        (nested(66, '{"a":', "}", "1"), "nested deeper than 64 levels"),
        (nested(33, '[{"a":', "}]", "[]"), "nested deeper than 64 levels"),
        ("[" + "9" * 41 + "]", "a number of 41 digits"),
        ("-" + "9" * 5000, "a number of 5001 digits"),
        ("1e999", "the number 1e999, which is too large"),
        ("[NaN]", "NaN, which is not a number in JSON"),
        ("[-Infinity]", "-Infinity, which is not a number in JSON"),
    ],
)
def test_what_no_file_needs_is_refused(text, words):
    with pytest.raises(JsonLimitError, match=words):
        parse_json(text)


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[1,]", "nonsense", "[" * 50])
def test_what_is_not_json(text):
    with pytest.raises(ValueError, match="it is not valid JSON") as caught:
        parse_json(text)
    assert not isinstance(caught.value, JsonLimitError)


@pytest.mark.parametrize("part", ["[],", '{"a":[]},', '"[",'])
def test_a_long_value_is_not_even_parsed(part):
    text = "[" + part * 210_000 + "0]"
    with pytest.raises(JsonLimitError, match="it has more than 200,000 objects and lists"):
        parse_json(text)


def test_a_wide_value_is_not_a_deep_one():
    wide = [[[0] * 100] * 9] * 10_000
    assert parse_json(json.dumps(wide)) == wide
