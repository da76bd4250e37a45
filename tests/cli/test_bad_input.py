"""Bad input of every kind: exit code 2, one message that says what to do, and nothing written."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from regen.portraits import PATTERNS

COMMANDS = {
    "rewrite": ("rewrite", "--edits", "edits.json"),
    "project": (
        "project",
        *("cat.png", "--generator", "g.safetensors", "--projector", "p.safetensors"),
    ),
    "generate": ("generate", "--generator", "g.safetensors", "--seeds", "0-2"),
    "train-projector": ("train-projector", "--generator", "g.safetensors"),
}


def png(width: int, height: int) -> bytes:
    """A PNG whose header declares a size that its few bytes of pixels do not have."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def cut(path: Path, part: float) -> None:
    """Leave only this part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])


def cut_and_close(path: Path) -> None:
    """Leave the upper part of a JPEG, and put its end mark behind it."""
    file = io.BytesIO()
    Image.effect_noise((96, 96), 90).save(file, "JPEG")
    path.write_bytes(file.getvalue()[: len(file.getvalue()) * 2 // 3] + b"\xff\xd9")


def flip_a_bit(path: Path) -> None:
    """Damage the last byte of a file."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def check_refused(world: Any, words: tuple[str, ...], message: str) -> None:
    """The command writes nothing, prints one message with exactly this text, and exits with 2."""
    before = sorted(world.folder.rglob("*"))
    result = world.run(*words, *(() if words[0] == "info" else ("-o", "out")))
    assert (result.exit_code, result.stdout) == (2, "")
    assert (
        result.stderr == f"Error: {message.format(f=world.folder, patterns=', '.join(PATTERNS))}\n"
    )
    assert sorted(world.folder.rglob("*")) == before


BROKEN_IMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (Path.unlink, " does not exist; check the path"),
    "empty": (lambda path: path.write_bytes(b""), " is empty: expected an image"),
    "not an image": (
        lambda path: path.write_text("cat"),
        " is not an image in a known format; save it as PNG or JPEG",
    ),
    "truncated": (
        lambda path: cut(path, 0.6),
        " cannot be decoded, it may be damaged or cut short: image file is truncated; "
        "copy it again, or save it as PNG or JPEG",
    ),
    "cut and closed": (
        cut_and_close,
        " cannot be decoded, it may be damaged or cut short: its data end before its last pixel; "
        "copy it again, or save it as PNG or JPEG",
    ),
    "bomb": (
        lambda path: path.write_bytes(png(60_000, 60_000)),
        " has too many pixels: got 3600000000 pixels, expected at most 175 million",
    ),
}


@pytest.mark.parametrize("kind", BROKEN_IMAGES)
def test_an_image_to_project(world: Any, kind: str) -> None:
    spoil, message = BROKEN_IMAGES[kind]
    spoil(world.folder / "cat.png")
    check_refused(world, COMMANDS["project"], f"cat.png{message}")


@pytest.mark.parametrize("kind", BROKEN_IMAGES)
def test_an_exemplar(world: Any, kind: str) -> None:
    spoil, message = BROKEN_IMAGES[kind]
    spoil(world.folder / "cat.png")
    message = "edits.json: edits[0].exemplar: {f}/cat.png" + message
    if kind == "missing":
        message = (
            "edits.json: edits[0].exemplar: {f}/cat.png does not exist; "
            "paths are relative to the edits file"
        )
    check_refused(world, COMMANDS["rewrite"], message)


def test_one_bad_image_among_several_is_reported_before_anything_is_written(world: Any) -> None:
    (world.folder / "bad.png").write_text("not an image")
    check_refused(
        world,
        (*COMMANDS["project"], "bad.png"),
        "bad.png is not an image in a known format; save it as PNG or JPEG",
    )


def target(content: Any) -> Any:
    return content["edits"][0]["targets"][0]


EDITS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "unknown key": (
        lambda c: c["edits"][0].update(exemplars="cat.png"),
        "edits.json: edits[0]: unknown key 'exemplars'; did you mean 'exemplar'?",
    ),
    "wrong version": (
        lambda c: c.update(version=2),
        "edits.json: version: got 2, expected 1; update regen",
    ),
    "region outside the target": (
        lambda c: target(c).update(region={"box": [20, 20, 40, 30]}),
        "edits.json: edits[0].targets[0].region: region reaches outside its image: got x from 20 "
        "to 40 and y from 20 to 30, expected x from 0 to 32 and y from 0 to 32; "
        "give pixels of this image at its own size",
    ),
    "region outside the exemplar": (
        lambda c: c["edits"][0].update(region={"box": [20, 20, 40, 41]}),
        "edits.json: edits[0].region: region reaches outside its image: got x from 20 to 40 and "
        "y from 20 to 41, expected x from 0 to 50 and y from 0 to 40; "
        "give pixels of this image at its own size",
    ),
    "region of zero area": (
        lambda c: target(c).update(region={"box": [20, 20, 20, 30]}),
        "edits.json: edits[0].targets[0].region.box: box has zero area: got [20, 20, 20, 30]",
    ),
    "empty targets": (
        lambda c: c["edits"][0].update(targets=[]),
        "edits.json: edits[0].targets: got [], expected a list of at least one target "
        "and at most 100",
    ),
    "three layers where there are two": (
        lambda c: c.update(memory_layers=3, value_layer=2),
        "edits.json: memory_layers: got 3, expected at most the value_layer, 2",
    ),
    "more layers than the generator has": (
        lambda c: c.update(memory_layers=8, value_layer=None),
        "edits.json: memory_layers: got 8, expected 1 to 5, since the memory ends at convolution 5 "
        "of {f}/g.safetensors",
    ),
    "a layer that the generator lacks": (
        lambda c: (c.pop("projector"), c.update(value_layer=8)),
        "edits.json: value_layer: got 8, expected 1 to 7, the convolutions of {f}/g.safetensors",
    ),
    "layer of another projector": (
        lambda c: c.update(value_layer=4),
        "edits.json: value_layer: value layer of {f}/p.safetensors: got 4, expected 5, for which "
        "it was trained; "
        "use that layer, or train a projector for the other one",
    ),
    "seed that is not an integer": (
        lambda c: target(c).update(seed=1.5),
        "edits.json: edits[0].targets[0].seed: got 1.5, expected an integer from 0 to 4294967295",
    ),
    "seed that is too large": (
        lambda c: target(c).update(seed=2**63),
        f"edits.json: edits[0].targets[0].seed: got {2**63}, expected an integer from 0 to "
        "4294967295",
    ),
    "unknown oracle": (
        lambda c: c.update(generator="portraits", oracle="cat_eye"),
        "edits.json: oracle: unknown pattern of portraits: got 'cat_eye', expected one of "
        "{patterns}; did you mean 'cat_eyes'?",
    ),
    "a projector that is none": (
        lambda c: c.update(projector="g.safetensors"),
        "edits.json: projector: {f}/g.safetensors: got a generator, expected a projector",
    ),
    "features without a projector": (
        lambda c: (c.pop("projector"), c.update(align="feature")),
        "edits.json: align: got feature, without a projector for the value layer, expected image; "
        "or train a projector with `regen train-projector`",
    ),
}


@pytest.mark.parametrize("kind", EDITS)
def test_an_edits_file(world: Any, kind: str) -> None:
    change, message = EDITS[kind]
    world.edits(change)
    check_refused(world, COMMANDS["rewrite"], message)


def test_an_edits_file_that_is_not_there(world: Any) -> None:
    words = ("rewrite", "--edits", "none.json")
    check_refused(world, words, "none.json does not exist; check the path")


@pytest.mark.parametrize("command", ["rewrite", "project"])
def test_a_projector_of_another_generator(world: Any, command: str) -> None:
    words = [word.replace("p.safetensors", "other_p.safetensors") for word in COMMANDS[command]]
    world.edits(lambda content: content.update(projector="other_p.safetensors"))
    result = world.run(*words, "-o", "out")
    assert result.exit_code == 2 and world.left() == []
    assert "other_p.safetensors belongs to another generator: digest of the " in result.stderr
    assert result.stderr.endswith("or train one with `regen train-projector`\n")


def test_a_rewrite_of_another_generator(world: Any) -> None:
    words = ("rewrite", "--edits", "edits.json", "--steps", "1", "--preserve", "0", "--seeds", "1")
    assert world.run(*words, "-o", "made").exit_code == 0
    words = ("generate", "--generator", "other.safetensors", "--rewrite", "made")
    result = world.run(*words, "-o", "out")
    assert result.exit_code == 2 and world.left() == []
    assert result.stderr.startswith("Error: this rewrite belongs to another generator, or to ")


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "header cut": (lambda path: cut(path, 0.01), "truncated at"),
    "tensors cut": (lambda path: cut(path, 0.8), "truncated at"),
    "corrupted": (flip_a_bit, "its tensors are not those that were saved"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(
    ("name", "command"),
    [("g", "rewrite"), ("p", "rewrite"), ("p", "project"), ("g", "generate"), ("g", "info")],
)
def test_a_damaged_file(world: Any, name: str, command: str, damage: str) -> None:
    spoil, problem = DAMAGE[damage]
    spoil(world.folder / f"{name}.safetensors")
    words = COMMANDS.get(command)
    result = world.run(*(words + ("-o", "out") if words else (command, "g.safetensors")))
    assert result.exit_code == 2 and world.left() == []
    assert f"{name}.safetensors is damaged: {problem}" in result.stderr
    assert result.stderr.endswith("; make the file again or copy it again\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_folder_that_cannot_be_made(world: Any, command: str) -> None:
    result = world.run(*COMMANDS[command], "-o", "cat.png/out")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: cannot write cat.png/out: Not a directory; "
        "a part of the path is a file, choose another folder\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_folder_that_is_a_file(world: Any, command: str) -> None:
    result = world.run(*COMMANDS[command], "-o", "cat.png")
    assert result.exit_code == 2
    assert "Invalid value for '-o' / '--output': Directory 'cat.png' is a file." in result.stderr


USAGE = {
    ("generate", "--seeds", "5-"): "'5-' is not a list of seeds like 7, 0-63 or 1,5,7-9",
    ("generate", "--truncation", "-11"): "-11.0 is not in the range -10.0<=x<=10.0.",
    ("generate", "--sedes", "3"): "No such option '--sedes'.",
    ("rewrite", "--edits", "edits.json", "--recall", "all"): "'all' is not one of 'value'",
    ("project", "cat.png", "--fit", "crop"): "'crop' is not one of 'cover', 'contain', 'stretch'",
    ("project",): "Missing argument 'IMAGE...'.",
    ("train-projector", "--composites", "2"): "2.0 is not in the range 0<=x<=1.",
}


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_typing_mistakes_show_the_usage(world: Any, words: tuple[str, ...]) -> None:
    result = world.run(*words, "-o", "out")
    assert result.exit_code == 2 and world.left() == []
    assert result.stderr.startswith(f"Usage: regen {words[0]}") and USAGE[words] in result.stderr


URL = "https://a.b/c.png"
ADDRESSES: dict[tuple[str, ...], str] = {
    ("project", URL): "a local file",
    ("project", "cat.png", "--generator", URL): "a local file, or the name of a bundled generator",
    (*COMMANDS["project"][:-1], URL): "a local file",
    ("generate", "--rewrite", URL): "a local file",
    ("generate", "--generator", "portraits-inpaint", "--hole", URL): "a local file",
    ("generate", "--generator", "portraits-inpaint", "--images", URL): "a local folder of images",
    (
        *("generate", "--generator", "portraits-inpaint", "--images", "."),
        *("--holes", URL),
    ): "a local folder of images",
    ("rewrite", "--edits", URL): "a local file",
    ("rewrite", "--edits", "edits.json", "--config", URL): "a local file",
    ("train-generator", URL): "a local folder of images",
    (*COMMANDS["train-projector"], "--extra-images", URL): "a local folder of images",
    ("info", URL): "a local file",
}


@pytest.mark.parametrize("words", ADDRESSES, ids=" ".join)
def test_an_address_in_place_of_a_path(world: Any, words: tuple[str, ...]) -> None:
    message = f"{URL} is an address: expected {ADDRESSES[words]}; download it, and give the local"
    check_refused(world, words, f"{message} path")


@pytest.mark.parametrize("command", COMMANDS)
def test_an_address_in_place_of_an_output_folder(world: Any, command: str) -> None:
    result = world.run(*COMMANDS[command], "-o", URL)
    assert (result.exit_code, result.stderr) == (
        2,
        f"Error: place to write to: got the address {URL}, expected a local path; copy the "
        "results to the address afterwards\n",
    )
    assert not (world.folder / "https:").exists()


EMPTY = (
    ("generate", "--seeds", "0", "-o", ""),
    ("generate", "--generator", "portraits-inpaint", "--images", "", "-o", "out"),
    ("generate", "--rewrite", "", "-o", "out"),
    ("project", "", "-o", "out"),
    ("rewrite", "--edits", "", "-o", "out"),
    (*COMMANDS["rewrite"], "--projector", "", "-o", "out"),
    (*COMMANDS["rewrite"], "-o", ""),
    (*COMMANDS["train-projector"], "--extra-images", "", "-o", "out"),
    ("train-generator", "", "--check"),
    ("convert", "portraits", ""),
    ("edit", "-o", ""),
    ("info", ""),
)


@pytest.mark.parametrize("words", EMPTY, ids=" ".join)
def test_an_empty_text_is_not_this_folder(world: Any, words: tuple[str, ...]) -> None:
    for name in ("rewrite", "projector"):
        (world.folder / f"{name}.safetensors").touch()
    before = sorted(world.folder.rglob("*"))
    result = world.run(*words)
    assert result.exit_code == 2 and "the path is empty" in result.stderr.splitlines()[-1]
    assert sorted(world.folder.rglob("*")) == before


CLOSED = (
    ("project", "closed/x.png", "-o", "out"),
    ("generate", "--generator", "closed/x", "-o", "out"),
    ("generate", "--rewrite", "closed/x", "-o", "out"),
    ("generate", "--seeds", "0", "-o", "closed/x"),
    (*COMMANDS["project"][:-1], "closed/x", "-o", "out"),
    ("rewrite", "--edits", "closed/x.json", "-o", "out"),
    ("rewrite", "--edits", "edits.json", "--config", "closed/x.json", "-o", "out"),
    ("train-generator", "closed/x", "--check"),
    ("train-generator", "closed/x", "-o", "out"),
    (*COMMANDS["train-projector"], "--extra-images", "closed/x", "-o", "out"),
    ("convert", "portraits", "closed/x.pkl"),
    ("convert", "closed/x.pkl", "made.pkl"),
    ("info", "closed/x"),
    ("info", "closed/x.json"),
)


@pytest.fixture
def closed(world: Any) -> None:
    """A folder of that name, which may not be entered."""
    folder = world.folder / "closed"
    folder.mkdir(0o000)
    if os.access(folder, os.X_OK):
        pytest.skip("the superuser may go anywhere")


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("words", CLOSED, ids=" ".join)
def test_a_folder_that_may_not_be_entered(world: Any, words: tuple[str, ...]) -> None:
    result = world.run(*words)
    assert result.exit_code == 2 and world.left() == []
    assert result.stderr.startswith("Error: ") and "ermission" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("closed")
def test_an_exemplar_in_a_folder_that_may_not_be_entered(world: Any) -> None:
    for change in (
        {"samples": {"pictures": "closed/x"}},
        {"projector": "closed/x"},
        {"generator": "closed/x"},
    ):
        world.edits(lambda content, change=change: content.update(change))
        check_refused_in_one_line(world.run(*COMMANDS["rewrite"], "-o", "out"))
    assert world.left() == []


def check_refused_in_one_line(result: Any) -> None:
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: edits.json: ")


def test_info_on_what_regen_did_not_write(world: Any) -> None:
    check_refused(
        world,
        ("info", "cat.png"),
        "cat.png is not a safetensors file: expected a file written by regen",
    )
    check_refused(world, ("info", "none"), "none does not exist; check the path")
    check_refused(
        world,
        ("info", "."),
        ". is a folder without the files that `regen info` explains: "
        "expected metrics.json, settings.json or rewrite.safetensors in it",
    )


def test_a_generator_by_a_wrong_name(world: Any) -> None:
    message = (
        "no such generator: got portrait, expected a file, or the bundled portraits or "
        "portraits-inpaint or portraits-cats or london-faces; did you mean portraits?"
    )
    check_refused(world, ("generate", "--generator", "portrait"), message)
    for more in ((), ("--preview",)):
        words = (*COMMANDS["rewrite"], *more)
        check_refused(world, (*words, "--generator", "portrait"), message)
        none = "g.safetensors: got a generator, expected a projector"
        check_refused(world, (*words, "--projector", "g.safetensors"), none)
    world.edits(lambda content: content.update(generator="portrait"))
    check_refused(world, COMMANDS["rewrite"], f"edits.json: generator: {message}")
