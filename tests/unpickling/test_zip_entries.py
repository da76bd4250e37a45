"""Entries of a zip that are stored as they are."""

import io
import struct
import zipfile

import pytest

from regen.errors import UnpicklingError
from regen.unpickling.source import Span
from regen.unpickling.zip_entries import is_zip, zip_entries
from tests.unpickling.budgets import budget_for

CONTENT = {"a/data.pkl": b"pickle", "a/data/0": bytes(range(200)), "a/empty": b""}


def zipped(content=None, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in (CONTENT if content is None else content).items():
            archive.writestr(name, data)
    return file.getvalue()


def entries(data):
    return {
        name: bytes(span.plain())
        for name, span in zip_entries(Span.of(data), budget_for(len(data))).items()
    }


def test_entries_are_spans_of_the_file():
    assert is_zip(Span.of(zipped())) and not is_zip(Span.of(b"pickle"))
    assert entries(zipped()) == CONTENT
    assert entries(zipped({})) == {}


def test_a_zip_may_lie_inside_of_a_file():
    data = b"before" + zipped()
    found = zip_entries(Span.of(data).part(6, len(data)), budget_for(len(data)))
    assert found["a/data.pkl"].plain() == b"pickle"


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/a", "\\a", "C:/a", "a\\..\\b"])
def test_names_that_lead_out_are_refused(name):
    with pytest.raises(UnpicklingError, match="leads out"):
        entries(zipped({name: b"x"}))


def test_only_what_torch_writes_is_read():
    with pytest.raises(UnpicklingError, match="a/data/0 of its zip is compressed"):
        entries(zipped({"a/data/0": b"x" * 100}, zipfile.ZIP_DEFLATED))
    with pytest.warns(UserWarning, match="Duplicate name"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a", b"1")
            archive.writestr("a", b"2")
    with pytest.raises(UnpicklingError, match="two entries named a"):
        entries(file.getvalue())


def test_damage_is_refused():
    data = zipped()
    with pytest.raises(UnpicklingError, match="no directory"):
        entries(data[:-30])
    with pytest.raises(UnpicklingError, match="does not end with its directory"):
        entries(data + b"more")
    place = data.rfind(b"PK\x05\x06")
    longer = bytearray(data)
    struct.pack_into("<L", longer, place + 12, len(data))
    with pytest.raises(UnpicklingError, match="longer than the file"):
        entries(bytes(longer))
    sized = bytearray(data)
    entry = data.find(b"PK\x01\x02")
    struct.pack_into("<2L", sized, entry + 20, 10_000, 10_000)
    with pytest.raises(UnpicklingError, match="claims 10,000 bytes"):
        entries(bytes(sized))
