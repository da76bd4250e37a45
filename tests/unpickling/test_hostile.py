"""Files that attack their reader are refused at once, in one sentence, and nothing of them runs."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from regen.errors import UnpicklingError
from regen.files.budget import MOST_STEPS
from regen.unpickling import globals_of, read_pickle, read_torch_file, sniff
from tests.unpickling import hostile, writer
from tests.work import counted_calls

ROOT = Path(__file__).parents[2]
MARK = Path("/nowhere/touched-by-a-pickle")
PICKLES = hostile.pickles(MARK)
ZIPS = hostile.torch_files()
CASES = [(name, *case, read_pickle) for name, case in PICKLES.items()]
CASES += [(name, *case, read_torch_file) for name, case in ZIPS.items()]
MOST_CALLS = 40 * MOST_STEPS  # of functions, and returns from them
MOST_BYTES = 500 << 20


@pytest.mark.parametrize(
    ("data", "words", "read"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_hostile_files_are_refused_with_bounded_work(tmp_path, data, words, read):
    path = tmp_path / "hostile"
    path.write_bytes(data)
    modules = set(sys.modules)
    with pytest.raises(UnpicklingError, match=words) as caught, counted_calls() as calls:
        read(path)
    assert 0 < calls[0] < MOST_CALLS
    message = str(caught.value)
    assert message.startswith(str(path)) and len(message) < len(str(path)) + 400
    assert message.isprintable()
    assert set(sys.modules) == modules
    assert [each.name for each in tmp_path.iterdir()] == ["hostile"]


@pytest.mark.parametrize(
    "name", ["doubled tuples", "sets of one list", "bytes of one text", "far memo"]
)
def test_memory_is_bounded(tmp_path, name):
    (tmp_path / "a").write_bytes(PICKLES[name][0])
    tracemalloc.start()
    try:
        with pytest.raises(UnpicklingError):
            read_pickle(tmp_path / "a")
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("data", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_other_readers_end_cleanly_too(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    sniff(tmp_path / "a")
    for read in (globals_of, read_torch_file):
        hostile.refused(read, tmp_path / "a")


def audited(program):
    """What a program prints; it must end well."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_nothing_is_run_imported_or_written_meanwhile(tmp_path):
    program = f"from tests.unpickling import hostile as h; h.main(h.Path({str(tmp_path)!r}))"
    assert audited(program) == ""
    assert not (tmp_path / "mark").exists()


def test_the_audit_notices_what_should_not_happen(tmp_path):
    program = f"""
from tests.unpickling import hostile as h
folder = h.Path({str(tmp_path)!r})
h.pickles = lambda mark: {{"one": (b"N.", "")}}
h.torch_files = dict
def read(path):
    open(folder / "mark", "w").close()
    eval("1")
honest = h.read_pickle
h.read_pickle = lambda path: read(path) if path.name == "0" else honest(path)
h.main(folder)
"""
    found = audited(program)
    assert "open (" in found and "mark', 'w'" in found and "exec (<code object" in found


def test_source_text_of_a_persistent_object_stays_text(tmp_path):
    mark = tmp_path / "mark"
    source = f"open({str(mark)!r}, 'w').write('x')"
    network = writer.persistent("Network", {"size": 4}, module_src=source)
    got = read_pickle(writer.write_pickle(tmp_path / "a", network))
    assert (got.class_name, got.state) == ("Network", {"size": 4})
    assert "module_src" not in got.arguments[0]
    assert not mark.exists()


def test_names_of_hostile_files_are_listed(tmp_path):
    attack = writer.Call("builtins getattr", (writer.Name("os path"), "system"))
    named = globals_of(writer.write_pickle(tmp_path / "a", attack))
    assert [(each.name, each.known) for each in named] == [
        ("builtins.getattr", False),
        ("os.path", False),
    ]


def test_a_deep_value_is_let_go_without_recursion(tmp_path):
    # Freed by the interpreter when the error is gone: a crash here would end the test run.
    deep = b"\x80\x04)" + b"\x85" * 250_000 + b"."
    (tmp_path / "a").write_bytes(deep)
    with pytest.raises(UnpicklingError, match="too deep"):
        read_pickle(tmp_path / "a")
