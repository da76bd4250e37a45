"""Damaged files end in success or in a RegenError: a short run, and all ways to cut them short."""

import itertools
import math
import re
import time
from types import SimpleNamespace

import pytest

from regen.errors import RegenError
from regen.unpickling import read_pickle, read_torch_file
from tests.unpickling import fuzz

PICKLES, TORCH = fuzz.honest_files("pickle"), fuzz.honest_files("torch")
_CUT = re.compile("truncated|damaged|empty|does not begin like")
TRUNCATED = [PICKLES[1], PICKLES[3], *TORCH]


@pytest.mark.parametrize("kind", ["pickle", "torch", "safetensors", "image", "edits"])
def test_the_files_are_honest_before(tmp_path, kind):
    for data in fuzz.honest_files(kind):
        (tmp_path / "a").write_bytes(data)
        assert "read" in fuzz.outcomes(tmp_path / "a", fuzz.KINDS[kind].readers)


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_a_short_fuzz_run(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(fuzz, "SLOWEST_SECONDS", math.inf)
    counts = fuzz.run(files=100, seconds=math.inf, seed=2, keep=tmp_path, kinds=[kind])
    assert counts["failed"] == 0
    assert counts["files"] == 100
    assert counts["read"] > counts["files"] / 10 and counts["refused"] > counts["files"] / 4


def test_kinds_take_turns(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz, "SLOWEST_SECONDS", math.inf)
    assert fuzz.run(files=8, seconds=math.inf, seed=2, keep=tmp_path)["files"] == 8


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_a_file_is_the_same_every_time(kind):
    assert fuzz.file_of(kind, 7, 3) == fuzz.file_of(kind, 7, 3)
    assert fuzz.file_of(kind, 7, 3) != fuzz.file_of(kind, 7, 4)


def failing(monkeypatch, reader):
    kind = fuzz.Kind(lambda: [b"x"], lambda data, random, others: data, (reader,))
    monkeypatch.setattr(fuzz, "_warm_up", lambda path, kinds: None)
    monkeypatch.setitem(fuzz.KINDS, "x", kind)
    fuzz.honest_files.cache_clear()


def refuse(words):
    def read(path):
        raise RegenError(words.format(path))

    return read


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        (lambda path: 1 / 0, "ZeroDivisionError"),
        (refuse("no file is named"), "a message that is long, not printable or without its file"),
        (refuse("{}" + "x" * 2000), "a message that is long"),
        (lambda path: None, "TimeoutError: <lambda> took 3.0 s"),
    ],
    ids=["trace", "no file", "long", "time"],
)
def test_a_failure_is_noticed_and_kept(tmp_path, monkeypatch, capsys, reader, words):
    failing(monkeypatch, reader)
    clock = itertools.count(step=3.0)
    monkeypatch.setattr(
        fuzz, "time", SimpleNamespace(process_time=lambda: next(clock), monotonic=time.monotonic)
    )
    assert fuzz.run(files=1, seconds=math.inf, seed=0, keep=tmp_path, kinds=["x"])["failed"] == 1
    assert (tmp_path / "fuzz-x-0-0.bin").read_bytes() == b"x"
    assert words in capsys.readouterr().out


def test_memory_that_grows_is_noticed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fuzz, "SLOWEST_SECONDS", math.inf)
    failing(monkeypatch, lambda path: None)
    peaks = [100, *[101 + fuzz.MOST_BYTES + fuzz.TIMES_THE_FILE] * 9]
    monkeypatch.setattr(fuzz, "peak_bytes", lambda: peaks.pop(0))
    assert fuzz.run(files=1, seconds=math.inf, seed=0, keep=tmp_path, kinds=["x"])["failed"] == 1
    assert "MemoryError: 314,572,804 bytes for a file of 1" in capsys.readouterr().out
    peaks[:] = [100, *[100 + fuzz.MOST_BYTES + fuzz.TIMES_THE_FILE] * 9]
    assert fuzz.run(files=1, seconds=math.inf, seed=0, keep=tmp_path, kinds=["x"])["failed"] == 0


@pytest.mark.parametrize("data", TRUNCATED)
def test_files_truncated_anywhere_are_refused(tmp_path, data):
    path = tmp_path / "a"
    path.write_bytes(data)
    reader = read_torch_file if data in TORCH else read_pickle
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
