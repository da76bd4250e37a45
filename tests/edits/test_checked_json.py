"""`regen.edits.checked_json`: JSON by hand, and where it is wrong."""

import pytest

from regen.edits.checked_json import Node, read_json
from regen.errors import EditsError


def write(folder, text):
    path = folder / "e.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def node(value):
    return Node(value, "a[1].b", "e.json")


def message(call):
    with pytest.raises(EditsError) as caught:
        call()
    return str(caught.value)


def test_members_and_items_know_their_paths(tmp_path):
    top = read_json(write(tmp_path, '{"a": [1, {"b": 2}]}'))
    last = top.members(("a",), ())["a"].items()[1].members(("b",), ("c",))["b"]
    assert (last.path, last.value) == ("a[1].b", 2)
    assert last.file == str(tmp_path / "e.json")


def test_a_byte_order_mark_is_no_error(tmp_path):
    assert read_json(write(tmp_path, b"\xef\xbb\xbf[1]")).value == [1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not valid JSON: Expecting value at line 1, column 1"),
        ('{"a": 1,\n "b" 2}', "is not valid JSON: Expecting ':' delimiter at line 2, column 6"),
        ("[NaN]", "is not valid JSON: NaN is not a number in JSON"),
        ("[-Infinity]", "is not valid JSON: -Infinity is not a number in JSON"),
        (b"\xff\xfe", "is not valid JSON: 'utf-8' codec can't decode"),
        ("[" * 200_000, "is not valid JSON: "),
        ("9" * 5000, "is not valid JSON: Exceeds the limit"),
    ],
)
def test_what_is_no_json_is_told(tmp_path, text, problem):
    path = write(tmp_path, text)
    assert message(lambda: read_json(path)).startswith(f"{path} {problem}")


def test_what_is_no_file_is_told(tmp_path, monkeypatch):
    assert message(lambda: read_json(tmp_path / "x")).endswith("x does not exist; check the path")
    assert "is not a file: expected an edits file" in message(lambda: read_json(tmp_path))

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, "{}")
    monkeypatch.setattr("pathlib.Path.read_text", refuse)
    assert message(lambda: read_json(path)) == f"{path} cannot be read: Permission denied"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"sead": 1}', "unknown key 'sead'; did you mean 'seed'?"),
        ('{"seed": 1, "xyz": 1}', "unknown key 'xyz'; known are seed, region, truncation"),
        ('{"seed": 1}', "key 'region' is missing"),
        ('{"seed": 1, "region": 1, "seed": 2}', "key 'seed' is written twice; remove one of them"),
        ("[1]", "got [1], expected an object {...}"),
        ('"text"', 'got "text", expected an object {...}'),
        (f'"{"x" * 99}"', f'got "{"x" * 56}..., expected an object {{...}}'),
    ],
)
def test_members_are_checked(tmp_path, text, problem):
    path = write(tmp_path, text)
    found = message(lambda: read_json(path).members(("seed", "region"), ("truncation",)))
    assert found == f"{path}: {problem}"


def test_values_of_the_right_kind():
    assert node(3).integer(0) == 3
    assert node(2**63 - 1).integer(0) == 2**63 - 1
    assert node(3).number() == 3.0
    assert node(-0.5).number() == -0.5
    assert node("cat.jpg").text() == "cat.jpg"
    assert node("image").choice(("image", "feature")) == "image"
    assert node([]).items(least=0) == []


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda: node(1.0).integer(0), "got 1.0, expected an integer from 0"),
        (lambda: node(True).integer(0), "got true, expected an integer from 0"),
        (lambda: node("3").integer(0), 'got "3", expected an integer from 0'),
        (lambda: node(-1).integer(0), "got -1, expected an integer from 0"),
        (lambda: node(9).integer(1, 8), "got 9, expected an integer from 1 to 8"),
        (lambda: node(2**63).integer(0), f"got {2**63}, expected an integer from 0"),
        (lambda: node(None).number(), "got null, expected a number"),
        (lambda: node(False).number(), "got false, expected a number"),
        (lambda: node(-0.5).number(0), "got -0.5, expected a number from 0"),
        (lambda: node(0).number(0, above=True), "got 0, expected a number above 0"),
        (lambda: node(float("inf")).number(0), "got Infinity, expected a number from 0"),
        (lambda: node(10**400).number(), f"got 1{'0' * 56}..., expected a number"),
        (lambda: node("").text("a path"), 'got "", expected a path'),
        (lambda: node(3).text(), "got 3, expected text"),
        (lambda: node([]).items("a list of points"), "got [], expected a list of points"),
        (lambda: node({}).items(), "got {}, expected a list [...]"),
        (
            lambda: node("imgae").choice(("image", "feature")),
            "got \"imgae\", expected 'image' or 'feature'; did you mean 'image'?",
        ),
        (lambda: node(3).choice(("image", "feature")), "got 3, expected 'image' or 'feature'"),
    ],
)
def test_values_of_another_kind_are_told(call, problem):
    assert message(call) == f"e.json: a[1].b: {problem}"


def test_names_and_files(tmp_path):
    (tmp_path / "g.pkl").write_text("")
    assert node("g.pkl").existing_file(tmp_path) == str(tmp_path / "g.pkl")
    assert node("g.pkl").name_or_file(tmp_path) == str(tmp_path / "g.pkl")
    assert node("portraits").name_or_file(tmp_path) == "portraits"
    expected = f"{tmp_path / 'no/g'} does not exist; paths are relative to the edits file"
    assert message(lambda: node("no/g").name_or_file(tmp_path)) == f"e.json: a[1].b: {expected}"
