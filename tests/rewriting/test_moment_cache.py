"""Second moments on disk: measured once, checked when read, and never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.files import tensor_file
from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.rewriting import moment_cache
from regen.rewriting.moment_cache import cache_folders, key_moments


@pytest.fixture(autouse=True)
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Few samples, and a cache of the test's own."""
    monkeypatch.setattr(moment_cache, "SAMPLES", 8)
    monkeypatch.setenv("REGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def path(generator: StyleGAN2, tmp_path: Path) -> Path:
    """The generator's file, alone in a folder."""
    path = tmp_path / "models" / "g.safetensors"
    path.parent.mkdir()
    save_stylegan2(path, generator, card={})
    generator.source_name = str(path)
    return path


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that moments are measured."""
    calls: list[int] = []
    measure = moment_cache.measure_moments

    def counted(*arguments: object) -> object:
        calls.append(1)
        return measure(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(moment_cache, "measure_moments", counted)
    return calls


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.keys/*")) + sorted(folder.glob("cache/keys/*"))


def test_they_are_measured_once_beside_the_generator(
    generator: StyleGAN2, split: StyleGAN2Split, path: Path, measured: list[int]
) -> None:
    first = key_moments(generator, split, generator.source())
    second = key_moments(generator, split, generator.source())
    assert len(measured) == 1
    start = generator.digest()[:16]
    assert [file.name for file in files(path.parent)] == [
        f"{start}-synthesis.convs.{layer}.weight.safetensors" for layer in (4, 5)
    ]
    for name in ("convs.4.weight", "convs.5.weight"):
        assert torch.equal(second[name].values, first[name].values)
        assert torch.equal(second[name].vectors, first[name].vectors)


def test_another_cut_measures_only_what_it_lacks(
    generator: StyleGAN2, split: StyleGAN2Split, path: Path, measured: list[int]
) -> None:
    key_moments(generator, split, generator.source())
    key_moments(generator, generator.split(5, 1), generator.source())
    assert len(measured) == 1
    key_moments(generator, generator.split(5, 3), generator.source())
    assert len(measured) == 2


def test_what_is_kept_stays_when_another_is_lacking(
    generator: StyleGAN2, split: StyleGAN2Split, path: Path
) -> None:
    first = key_moments(generator, split, generator.source())
    lacking, *kept = files(path.parent)
    lacking.unlink()
    before = [file.stat().st_mtime_ns for file in kept]
    again = key_moments(generator, split, generator.source())
    assert [file.stat().st_mtime_ns for file in kept] == before and lacking.exists()
    for name, moment in first.items():
        assert torch.equal(again[name].vectors, moment.vectors)


def test_another_generator_of_the_same_name_has_its_own(
    generator: StyleGAN2, split: StyleGAN2Split, path: Path, measured: list[int]
) -> None:
    key_moments(generator, split, generator.source())
    generator.conv(4).bias.data += 1
    key_moments(generator, split, generator.source())
    assert len(measured) == 2 and len(files(path.parent)) == 4


@pytest.mark.parametrize("damage", ["truncated", "of another generator", "not finite"])
def test_a_file_that_is_not_right_is_measured_again(
    generator: StyleGAN2, split: StyleGAN2Split, path: Path, measured: list[int], damage: str
) -> None:
    key_moments(generator, split, generator.source())
    file = files(path.parent)[0]
    stored = tensor_file.load(file)
    if damage == "truncated":
        file.write_bytes(file.read_bytes()[:-10])
    elif damage == "of another generator":
        tensor_file.save(file, stored.tensors, {**stored.header, "base": "0" * 64})
    else:
        values = {**stored.tensors, "values": torch.full_like(stored.tensors["values"], torch.nan)}
        tensor_file.save(file, values, stored.header)
    key_moments(generator, split, generator.source())
    key_moments(generator, split, generator.source())
    assert len(measured) == 2
    assert tensor_file.load(file).header == stored.header


def test_bundled_generators_and_read_only_folders_use_the_users_cache(
    generator: StyleGAN2,
    split: StyleGAN2Split,
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    measured: list[int],
) -> None:
    assert cache_folders("portraits") == [tmp_path / "cache" / "keys"]
    assert cache_folders(None) == [tmp_path / "cache" / "keys"]
    (path.parent / "g.keys").write_text("a file where the folder should be")
    key_moments(generator, split, generator.source())
    key_moments(generator, split, generator.source())
    assert len(measured) == 1
    assert len(files(tmp_path)) == 2


def test_without_any_place_to_write_they_are_measured_every_time(
    generator: StyleGAN2, split: StyleGAN2Split, tmp_path: Path, measured: list[int]
) -> None:
    (tmp_path / "cache").write_text("in the way")
    key_moments(generator, split, generator.source())
    assert set(key_moments(generator, split, generator.source())) == {
        "convs.4.weight",
        "convs.5.weight",
    }
    assert len(measured) == 2


def test_the_users_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("REGEN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folders(None) == [tmp_path / "xdg" / "regen" / "keys"]
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folders(None) == [tmp_path / ".cache" / "regen" / "keys"]
    monkeypatch.setenv("HOME", "me")
    assert cache_folders("") == []
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    assert cache_folders("") == []
    monkeypatch.setenv("REGEN_CACHE", str(tmp_path / "named"))
    assert cache_folders("") == [tmp_path / "named" / "keys"]
