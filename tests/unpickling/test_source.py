"""A file read in place, and what reading it may cost."""

import pytest

from regen.errors import UnpicklingError
from regen.files.budget import SPARE_BYTES, STEPS_OF_A_LOOK, TIMES_THE_FILE
from regen.unpickling.source import Span, budget_of, budget_of_a_look, opened


def test_a_budget_is_that_of_the_file():
    budget = budget_of(Span.of(bytes(1000)))
    budget.spend(TIMES_THE_FILE * 1000 + SPARE_BYTES)
    with pytest.raises(UnpicklingError, match="more than its own size"):
        budget.spend(1)


def test_a_look_may_take_few_steps():
    budget = budget_of_a_look()
    budget.work(STEPS_OF_A_LOOK)
    with pytest.raises(UnpicklingError, match="too long"):
        budget.work(1)


def test_parts_lie_inside_and_count_from_the_whole():
    span = Span.of(b"0123456789").part(2, 8)
    assert (len(span), span.plain(), span.part(4, 6).plain()) == (6, b"234567", b"45")
    assert span.starts_with(b"23") and not span.starts_with(b"2345678")
    for start, stop in ((1, 4), (4, 9), (6, 5)):
        with pytest.raises(UnpicklingError, match="truncated at byte 8"):
            span.part(start, stop)


def test_plain_bytes_are_read_once():
    span = Span.of(b"abc").part(0, 3, mutable=True)
    assert span.plain() == bytearray(b"abc") and span.plain() is span.plain()


def test_a_block_is_read_into_memory_of_its_reader(tmp_path):
    (tmp_path / "a").write_bytes(bytes(range(100)))
    target = bytearray(10)
    with opened(tmp_path / "a") as file:
        assert len(file) == 100
        file.part(20, 30).fill(memoryview(target))
    assert target == bytes(range(20, 30))


def test_what_cannot_be_opened_is_named(tmp_path):
    (tmp_path / "empty").touch()
    for name, why in (("none", "does not exist"), ("", "is not a file"), ("empty", "is empty")):
        with (
            pytest.raises(UnpicklingError, match=f"^{tmp_path / name}: it {why}"),
            opened(tmp_path / name),
        ):
            pass


def test_errors_of_the_block_begin_with_the_path(tmp_path):
    (tmp_path / "a").write_bytes(b"a")
    with pytest.raises(UnpicklingError, match=f"^{tmp_path / 'a'}: odd"), opened(tmp_path / "a"):
        raise UnpicklingError("odd")
