import pytest
import safetensors.torch
import torch

from regen.errors import StoreError
from regen.files import tensor_file
from regen.files.tensor_header import checked_header, header_text, stored_header

HEADER = {"format": "rewrite", "version": 1, "family": "stylegan2", "licence": "Apache-2.0"}
TENSORS = {"a": torch.ones(2)}


def test_what_is_written_is_read():
    head = {"__metadata__": {"regen": header_text(HEADER)}}
    assert checked_header("a", head, "rewrite", 1) == HEADER
    assert stored_header({}) is None and stored_header({"__metadata__": {"pt": "x"}}) is None


def test_half_characters_of_file_names_are_escaped():
    text = header_text({**HEADER, "source": "caf\udce9.png"})
    assert text.isascii() and "\\udce9" in text


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"version": 1}, "header: expected a format, as text"),
        ({"format": "", "version": 1}, "header: expected a format, as text"),
        ({"format": "rewrite"}, "header: version: expected an integer from 1"),
        ({"format": "rewrite", "version": True}, "version: got True, expected an integer from 1"),
        ({"format": "rewrite", "version": 0}, "version: got 0, expected an integer from 1"),
    ],
)
def test_a_header_without_format_or_version_is_not_saved(tmp_path, header, message):
    with pytest.raises(StoreError, match=message):
        tensor_file.save(tmp_path / "a", TENSORS, header)
    assert list(tmp_path.iterdir()) == []


def test_another_format_is_told_apart(tmp_path):
    saved = tmp_path / "a"
    tensor_file.save(saved, TENSORS, HEADER)
    with pytest.raises(StoreError) as caught:
        tensor_file.load(saved, format="projector")
    assert str(caught.value) == f"{saved}: got a rewrite, expected a projector"
    with pytest.raises(StoreError, match="got a rewrite, expected an edit"):
        tensor_file.read_header(saved, format="edit")


def test_a_newer_version_asks_for_an_update(tmp_path):
    tensor_file.save(tmp_path / "a", TENSORS, {**HEADER, "version": 3})
    with pytest.raises(StoreError) as caught:
        tensor_file.load(tmp_path / "a", version=2)
    expected = "version of the rewrite format: got 3, expected at most 2; update regen"
    assert str(caught.value) == f"{tmp_path / 'a'}: {expected}"
    assert tensor_file.load(tmp_path / "a", version=3).header["version"] == 3


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"format": 3}', '{"format": "a"}', "[" * 9999])
def test_a_bad_header_of_ours_is_told(tmp_path, text):
    safetensors.torch.save_file(TENSORS, tmp_path / "a", metadata={"regen": text})
    with pytest.raises(StoreError, match="header"):
        tensor_file.load(tmp_path / "a")
