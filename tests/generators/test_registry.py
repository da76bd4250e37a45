"""Generators are opened, read and written, whoever made the file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.errors import GeneratorError, StoreError, UnpicklingError
from regen.files import tensor_file
from regen.files.run_files import GENERATOR_FILE
from regen.generators import bundled, registry
from regen.generators.registry import (
    family,
    format_for,
    open_checkpoint,
    open_generator,
    read_checkpoint,
    write_checkpoint,
)
from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.discriminator_init import as_stored

Build = Callable[..., StyleGAN2]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens to files while a generator is opened, in order."""
    done = list[str]()
    path_opens = Path.open

    def opens(path: Path, *args: Any, **options: Any) -> Any:
        if threading.current_thread() is threading.main_thread():  # others watch the load
            done.append(f"open {path.name}")
        return path_opens(path, *args, **options)

    monkeypatch.setattr(Path, "open", opens)
    for name in ("format_of", "value_of"):
        real = getattr(registry, name)

        def counted(*given: Any, name: str = name, real: Any = real) -> Any:
            done.append(name)
            return real(*given)

        monkeypatch.setattr(registry, name, counted)
    monkeypatch.setattr(bundled, "oracle_of", lambda digest, size: None)
    return done


@pytest.mark.parametrize("opened", [open_generator, open_checkpoint, read_checkpoint])
def test_a_file_of_ours_is_opened_and_sniffed_once(
    build: Build, tmp_path: Path, reads: list[str], opened: Callable[[Path], object]
) -> None:
    generator = build()
    judge = as_stored(Discriminator(generator.config))
    save_stylegan2(tmp_path / "g.safetensors", generator, card={}, discriminator=judge)
    reads.clear()
    opened(tmp_path / "g.safetensors")
    assert reads == ["open g.safetensors", "format_of"]


@pytest.mark.filterwarnings("ignore::regen.generators.registry.CheckpointWarning")
@pytest.mark.parametrize("opened", [open_generator, open_checkpoint, read_checkpoint])
@pytest.mark.parametrize("format", ["nvidia", "rosinality"])
def test_a_file_of_another_tool_is_opened_sniffed_and_unpickled_once(
    build: Build,
    tmp_path: Path,
    reads: list[str],
    opened: Callable[[Path], object],
    format: str,
) -> None:
    generator = build(w_dim=6)
    write_checkpoint(tmp_path / "g.bin", generator, None, format, origin="a test")
    reads.clear()
    opened(tmp_path / "g.bin")
    assert reads == ["open g.bin", "format_of", "value_of"]


def test_a_generator_knows_how_it_was_opened(build: Build, tmp_path: Path) -> None:
    path = tmp_path / GENERATOR_FILE
    save_stylegan2(path, build(), card={})
    for given in (path, str(path), tmp_path):
        assert open_generator(given).source_name == str(given)
        assert open_checkpoint(given).generator.source_name == str(given)
    assert open_generator("portraits").source_name == "portraits"


def test_which_network(build: Build, tmp_path: Path) -> None:
    save_stylegan2(tmp_path / "g.safetensors", build(), card={})
    with pytest.raises(GeneratorError, match="which network: got H, expected G_ema or G"):
        read_checkpoint(tmp_path / "g.safetensors", "H")
    with pytest.raises(GeneratorError, match="network: got G, expected G_ema, its only one"):
        read_checkpoint(tmp_path / "g.safetensors", "G")


def test_a_network_that_only_one_family_has(build: Build, tmp_path: Path) -> None:
    path = tmp_path / "g.pt"
    write_checkpoint(path, build(), None, "nvidia", origin="test")
    with pytest.raises(
        GeneratorError, match="g.pt: network b2a in it: expected a checkpoint of th"
    ):
        read_checkpoint(path, "b2a")


@pytest.mark.parametrize(
    ("name", "wanted", "format"),
    [
        ("g.safetensors", None, "native"),
        ("g.PKL", None, "nvidia"),
        ("g.pt", None, "rosinality"),
        ("g", "nvidia", "nvidia"),
        ("g.pt", "native", "native"),
    ],
)
def test_a_suffix_or_a_name_decides_the_format(name: str, wanted: str | None, format: str) -> None:
    assert format_for(Path(name), family("stylegan2"), wanted) == format


@pytest.mark.parametrize(
    ("name", "wanted", "message"),
    [
        (
            "g.exe",
            None,
            "g.exe: suffix: got .exe, expected .safetensors, .pkl, .pt, .onnx; name the ",
        ),
        ("g", None, "g: suffix: got none, expected .safetensors"),
        ("g.pkl", "exe", "format: got exe, expected native or nvidia or rosinality or onnx"),
    ],
)
def test_formats_that_a_family_has_not(name: str, wanted: str | None, message: str) -> None:
    with pytest.raises(GeneratorError) as raised:
        format_for(Path(name), family("stylegan2"), wanted)
    assert str(raised.value).startswith(message)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "g.safetensors").write_bytes(b"")
    with pytest.raises(UnpicklingError, match="g.safetensors: it is empty"):
        open_generator(tmp_path / "g.safetensors")


def test_a_truncated_file_of_ours_says_so(build: Build, tmp_path: Path) -> None:
    path = tmp_path / "g.safetensors"
    save_stylegan2(path, build(), card={})
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(StoreError, match="g.safetensors is damaged: truncated at 50 bytes"):
        open_generator(path)


def test_a_generator_opens_by_its_path(build: Build, tmp_path: Path) -> None:
    generator, path = build(), tmp_path / "mine.safetensors"
    save_stylegan2(path, generator, card={})
    for given in (path, str(path)):
        opened = open_generator(given, device=torch.device("cpu"))
        assert opened.digest() == generator.digest()
        assert opened.family == "stylegan2"
        assert not opened.training


def test_another_format_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "r.safetensors"
    tensor_file.save(path, {"a": torch.zeros(1)}, {"format": "rewrite", "version": 1})
    with pytest.raises(StoreError, match=r"r.safetensors: got a rewrite, expected a generator"):
        open_generator(path)


def test_a_file_that_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"\xff\xd8 a photograph")
    with pytest.raises(
        GeneratorError, match=r"cat.jpg is not a generator: expected a file of regen, stylegan2-ada"
    ):
        open_generator(path)


@pytest.mark.parametrize("family", ["biggan", None, ["stylegan2"]])
def test_a_family_we_do_not_know(tmp_path: Path, family: object) -> None:
    path = tmp_path / "g.safetensors"
    header = {"format": "generator", "version": 1, "family": family}
    tensor_file.save(path, {"a": torch.zeros(1)}, header)
    with pytest.raises(
        GeneratorError, match="family: .*expected stylegan2 or rfr or munit; update regen"
    ):
        open_generator(path)


@pytest.mark.parametrize("device", ["gpu", "cuda", torch.device("cuda"), None, 3.5])
def test_a_device_that_is_not_there(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(GeneratorError, match="device: got .*, which torch does not find here, exp"):
        open_generator("no such file", device=device)
