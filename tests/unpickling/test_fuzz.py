"""Damaged files end in success or in a RegenError: a short run, and all ways to cut them short."""

import math
import re

import pytest

from regen.errors import RegenError
from regen.unpickling import read_pickle, read_torch_file
from tests.unpickling import fuzz

HONEST = fuzz.honest_files()
_CUT = re.compile("truncated|damaged|empty|does not begin like")
TRUNCATED = [HONEST[1], HONEST[3], HONEST[-2], HONEST[-1]]


def read(path):
    data = path.read_bytes()
    torch_file = data[:2] == b"PK" or b"\xfc\x9cF\xf9" in data[:20]
    return (read_torch_file if torch_file else read_pickle)(path)


@pytest.mark.parametrize("data", HONEST)
def test_the_files_are_honest_before(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    assert read(tmp_path / "a")


def test_a_short_fuzz_run(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz, "_SLOWEST_SECONDS", math.inf)
    counts = fuzz.run(files=400, seconds=math.inf, seed=1, keep=tmp_path)
    assert counts["failed"] == 0
    assert counts["files"] == 400
    assert counts["read"] and counts["refused"] > counts["files"]


def test_a_file_is_the_same_every_time():
    assert fuzz.file_of(7, 3, HONEST) == fuzz.file_of(7, 3, HONEST)
    assert fuzz.file_of(7, 3, HONEST) != fuzz.file_of(7, 4, HONEST)


def test_a_failure_is_noticed_and_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fuzz, "_READERS", (lambda path: 1 / 0,))
    assert fuzz.run(files=1, seconds=math.inf, seed=0, keep=tmp_path)["failed"] == 1
    assert (tmp_path / "fuzz-0-0.bin").read_bytes() == fuzz.file_of(0, 0, HONEST)
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize("data", TRUNCATED)
def test_files_truncated_anywhere_are_refused(tmp_path, data):
    path = tmp_path / "a"
    path.write_bytes(data)
    reader = read_torch_file if data in HONEST[-2:] else read_pickle
    reader(path)
    for length in range(0, len(data), 1 if len(data) < 1500 else 5):
        path.write_bytes(data[:length])
        assert _CUT.search(refusal(reader, path)), length


def refusal(reader, path):
    try:
        reader(path)
    except RegenError as error:
        return str(error)
    return "read"
