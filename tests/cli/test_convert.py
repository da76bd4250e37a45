"""`regen convert`, and `regen info` on what other tools wrote."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.files import tensor_file
from regen.generators.munit.original import original_state
from regen.generators.registry import open_generator, read_checkpoint
from regen.generators.stylegan2.files import load_stylegan2
from regen.rewriting.rewrite import Rewrite
from tests.generators.stylegan2.foreign.checkpoints import whole_snapshot, write
from tests.helpers.munit import lively

REWRITTEN = "synthesis.convs.5.bias"


@pytest.fixture
def pickle(world: Any) -> Path:
    """A snapshot of NVIDIA's with the generator of g.safetensors and a discriminator."""
    generator = open_generator(world.folder / "g.safetensors")
    return write(world.folder / "cats.pkl", whole_snapshot(generator))


def rewrite_of(world: Any, name: str = "g.safetensors") -> Path:
    base = open_generator(world.folder / name)
    path = world.folder / f"{Path(name).stem}.rewrite.safetensors"
    Rewrite({REWRITTEN: torch.ones(8)}, base.digest(), base.family).save(path)
    return path


def test_there_and_back(world: Any, pickle: Path) -> None:
    original = open_generator("g.safetensors")
    for source, target in (
        ("cats.pkl", "a.safetensors"),
        ("a.safetensors", "b.pt"),
        ("b.pt", "c.pkl"),
    ):
        result = world.run("convert", source, target)
        assert result.exit_code == 0
        assert result.stdout.startswith(f"{target}: 32x32, ")
        assert result.stdout.endswith(f"digest {original.digest()[:12]}\n")
        assert read_checkpoint(world.folder / target).generator.digest() == original.digest()
    discriminator = read_checkpoint(world.folder / "c.pkl").discriminator
    assert discriminator is not None
    header = tensor_file.read_header(world.folder / "a.safetensors")
    assert header["provenance"] == "converted from: pickle of NVIDIA's, G_ema (cats.pkl)"


def test_a_rewritten_generator_goes_out(world: Any, pickle: Path) -> None:
    rewrite = rewrite_of(world)
    result = world.run("convert", "cats.pkl", "out.pkl", "--rewrite", f"{rewrite.name}:0.5")
    assert result.exit_code == 0
    before = read_checkpoint(pickle).generator.state_dict()
    after = read_checkpoint(world.folder / "out.pkl").generator.state_dict()
    assert torch.equal(after[REWRITTEN], before[REWRITTEN] + 0.5)
    assert all(torch.equal(after[k], before[k]) for k in before if k != REWRITTEN)


def test_the_header_says_what_was_rewritten(world: Any, pickle: Path) -> None:
    rewrite = rewrite_of(world)
    words = ("convert", "cats.pkl", "out.safetensors", "--rewrite", f"{rewrite}:0.5")
    assert world.run(*words).exit_code == 0
    assert tensor_file.read_header(world.folder / "out.safetensors")["provenance"] == (
        f"converted from: pickle of NVIDIA's, G_ema (cats.pkl), rewritten with {rewrite.name} at "
        "strength 0.5"
    )


def test_the_licence_stays_with_the_weights(world: Any) -> None:
    assert world.run("convert", "g.safetensors", "out.safetensors").exit_code == 0
    assert tensor_file.read_header(world.folder / "out.safetensors")["licence"] == "CC0-1.0"
    result = world.run("convert", "out.safetensors", "out.pt")
    told = "Note: the format has no place for the terms of the weights, keep them: licence CC0-1.0"
    assert result.exit_code == 0 and told in result.stderr
    assert world.run("convert", "out.pt", "again.safetensors").exit_code == 0
    assert "licence" not in tensor_file.read_header(world.folder / "again.safetensors")


def test_names_do_nothing_to_a_terminal(world: Any) -> None:
    result = world.run("convert", "g.safetensors", "a\x1b[2J\u202e.pt")
    assert result.exit_code == 0
    assert result.stdout.startswith("a\\x1b[2J\\u202e.pt: 32x32") and "\x1b" not in result.output


def test_a_bundled_name_and_a_format_by_name(world: Any) -> None:
    result = world.run("convert", "g.safetensors", "plain.bin", "--to", "rosinality")
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "Note: rosinality's own class has 512 channels up to 32x32; this one has fewer\n"
    )
    assert "g_ema" in torch.load(world.folder / "plain.bin", weights_only=True)


def test_opening_the_generator_reads_nothing_of_its_discriminator(world: Any, pickle: Path) -> None:
    assert world.run("convert", "cats.pkl", "a.safetensors").exit_code == 0
    path = world.folder / "a.safetensors"
    data = bytearray(path.read_bytes())
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    start = head["discriminator.b4.fc.weight"]["data_offsets"][0] + 8 + length
    data[start] ^= 1
    path.write_bytes(data)
    assert load_stylegan2(path).digest() == open_generator("g.safetensors").digest()
    result = world.run("convert", "a.safetensors", "b.pkl")
    assert result.exit_code == 2 and "its tensors are not those that were saved" in result.stderr


def test_the_discriminator_alone(world: Any, pickle: Path) -> None:
    result = world.run("convert", "cats.pkl", "d.safetensors", "--which", "D")
    assert result.exit_code == 0
    stored = tensor_file.load(world.folder / "d.safetensors", format="discriminator")
    assert stored.header["architecture"]["resolution"] == 32
    judge = read_checkpoint(pickle).discriminator
    assert judge is not None and stored.tensors.keys() == judge.tensors.keys()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("cats.pkl", "cats.pkl"), "cats.pkl is the file to convert; choose another name"),
        (("cats.pkl", "link.pkl"), "link.pkl is the file to convert"),
        (
            ("cats.pkl", "cats.exe"),
            "suffix: got .exe, expected .safetensors, .pkl, .pt, .onnx; name the",
        ),
        (("cats.pkl", "b.pt", "--which", "G"), "network: got G, expected G_ema or D"),
        (("cats.pkl", "d.pkl", "--which", "D"), "got nvidia, expected native"),
        (("g.safetensors", "d.safetensors", "--which", "D"), "has no discriminator"),
        (("g.safetensors", "b.pt", "--which", "G"), "network: got G, expected G_ema, its only one"),
        (("cat.png", "b.pt"), "cat.png is not a generator: expected a file of regen, "),
        (("dogs.pkl", "b.pt"), "no such generator: got dogs.pkl"),
        (("p.safetensors", "b.pt"), "got a projector, expected a generator"),
        (("cats.pkl", "no/folder/b.pt"), "cannot write no/folder/b.pt"),
        (
            ("cats.pkl", "b.pt", "--rewrite", "other.rewrite.safetensors"),
            "this rewrite belongs to another generator",
        ),
    ],
)
def test_bad_input_is_one_message(
    world: Any, pickle: Path, words: tuple[str, ...], message: str
) -> None:
    os.link(pickle, world.folder / "link.pkl")
    rewrite_of(world, "other.safetensors")
    before = sorted(os.listdir(world.folder))
    content = pickle.read_bytes()
    result = world.run("convert", *words)
    assert result.exit_code == 2
    assert message in result.stderr and result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1 and result.stdout == ""
    assert sorted(os.listdir(world.folder)) == before and pickle.read_bytes() == content


def test_info_on_a_pickle(world: Any, pickle: Path) -> None:
    result = world.run("info", "cats.pkl", "--json")
    assert result.exit_code == 0 and result.stderr == ""
    (facts,) = json.loads(result.stdout)
    generator = open_generator("g.safetensors")
    assert (facts["format"], facts["family"]) == ("pickle of NVIDIA's, G_ema", "stylegan2")
    assert (facts["resolution"], facts["digest"]) == (32, generator.digest())
    assert facts["parameters"] == sum(t.numel() for t in generator.parameters())
    assert facts["discriminator"]["architecture"] == "resnet"
    names = {entry["name"]: entry["known"] for entry in facts["globals"]}
    assert names["torch_utils.persistence._reconstruct_persistent_obj"] is True
    assert all(names.values()) and "torch.FloatStorage" in names


def test_info_names_what_a_hostile_file_asks_for(world: Any) -> None:
    (world.folder / "evil.pkl").write_bytes(b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.")
    (facts,) = json.loads(world.run("info", "evil.pkl", "--json").stdout)
    assert facts["globals"] == [{"name": "os.system", "known": False}]
    assert "os.system" in facts["cannot_be_opened"]
    result = world.run("convert", "evil.pkl", "a.safetensors")
    assert result.exit_code == 2 and "os.system" in result.stderr


@pytest.mark.filterwarnings("always::regen.generators.registry.CheckpointWarning")
def test_other_commands_open_them_and_say_so_in_one_line(world: Any, pickle: Path) -> None:
    result = world.run("generate", "--generator", "cats.pkl", "--seeds", "0", "-o", "out")
    assert result.exit_code == 0
    assert (
        "Note: cats.pkl is a pickle of NVIDIA's, G_ema; for a file that is smaller and opens faster"
        in result.stderr
    )
    assert world.left() == ["grid.png", "seed0000.png"]


def test_onnx_goes_out_with_rewrites(world: Any) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    rewrite = rewrite_of(world)
    result = world.run("convert", "g.safetensors", "out.onnx", "--rewrite", f"{rewrite.name}:0.5")
    assert result.exit_code == 0 and result.stdout.startswith("out.onnx: 32x32, onnx, from ")
    assert "z to image at truncation 1" in result.stderr
    plain = world.run("convert", "g.safetensors", "plain.onnx")
    assert plain.exit_code == 0
    models = [onnx.load(world.folder / name) for name in ("out.onnx", "plain.onnx")]
    assert [one.name for one in models[0].graph.input] == ["z"]
    assert models[0].graph.initializer != models[1].graph.initializer
    told = world.run("info", "out.onnx")
    assert told.exit_code == 2 and "which regen writes and does not read" in told.stderr


def test_a_translator_there_and_back_with_its_licence(world: Any) -> None:
    halves = {half: original_state(lively(seed=seed)) for seed, half in enumerate("ab")}
    torch.save(halves, world.folder / "gen_00000100.pt")
    digests = []
    for source, target in (("gen_00000100.pt", "t.safetensors"), ("t.safetensors", "t.pt")):
        result = world.run("convert", source, target)
        assert result.exit_code == 0 and result.stdout.startswith(f"{target}: 256x256, ")
        assert ("no commercial use" in result.stderr) is source.startswith("gen")
        digests.append(read_checkpoint(world.folder / target).generator.digest())
    assert digests[0] == digests[1]
    header = tensor_file.read_header(world.folder / "t.safetensors")
    assert header["provenance"] == "converted from: generator of MUNIT (2018) (gen_00000100.pt)"
    for name in ("gen_00000100.pt", "t.safetensors", "t.pt"):
        (facts,) = json.loads(world.run("info", name, "--json").stdout)
        assert facts["family"] == "munit" and facts["architecture"]["layout"] == "2018"
        assert "not for commercial use" in facts["original_licence"]


def test_a_file_beside_that_of_a_translator_is_named(world: Any) -> None:
    adam = {"state": {}, "param_groups": []}
    torch.save({"gen": adam, "dis": adam}, world.folder / "optimizer.pt")
    result = world.run("convert", "optimizer.pt", "a.safetensors")
    assert result.exit_code == 2
    assert "got optimizer.pt of MUNIT, the state of its optimisers" in result.stderr
    (facts,) = json.loads(world.run("info", "optimizer.pt", "--json").stdout)
    assert "the state of its optimisers" in facts["cannot_be_opened"]


def test_the_translation_from_b_to_a(world: Any) -> None:
    halves = {half: original_state(lively(seed=seed)) for seed, half in enumerate("ab")}
    torch.save(halves, world.folder / "gen.pt")
    result = world.run("convert", "gen.pt", "t.safetensors", "--which", "b2a")
    assert result.exit_code == 0 and "the translation from b to a" in result.stderr
    state = open_generator(world.folder / "t.safetensors").state_dict()
    last, first = halves["a"]["dec.model.5.conv.bias"], halves["b"]["enc_content.model.0.conv.bias"]
    assert torch.equal(state["network.last.bias"], last)
    assert torch.equal(state["network.content_encoder.blocks.0.convolution.bias"], first)
    result = world.run("convert", "g.safetensors", "other.safetensors", "--which", "b2a")
    assert result.exit_code == 2 and "network: got b2a, expected G_ema" in result.stderr
