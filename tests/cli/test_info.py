"""`regen info` on every kind of file."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import safetensors.torch
import torch

from regen.files.tensor_file import save
from regen.generators.registry import BUNDLED_FOLDER, open_generator
from regen.images import save_image

PROJECT = ("project", "cat.png", "--generator", "g.safetensors", "--projector", "p.safetensors")
REWRITE = ("rewrite", "--edits", "edits.json", "--steps", "2", "--preserve", "2", "--seeds", "2")


def facts(world: Any, *words: str) -> list[dict[str, Any]]:
    result = world.run("info", *words, "--json")
    assert result.exit_code == 0 and result.stderr == ""
    return list(json.loads(result.stdout))


def test_a_generator(world: Any) -> None:
    (found,) = facts(world, "g.safetensors")
    generator = open_generator(world.folder / "g.safetensors")
    assert (found["file"], found["format"], found["version"]) == ("g.safetensors", "generator", 1)
    assert (found["family"], found["resolution"], found["convolutions"]) == ("stylegan2", 32, 7)
    assert found["parameters"] == sum(parameter.numel() for parameter in generator.parameters())
    assert (found["digest"], found["dtypes"]) == (generator.digest(), ["float32"])
    assert found["licence"] == "CC0-1.0" and found["architecture"]["w_dim"] == 8


def test_parameters_are_counted_as_the_readme_says(world: Any) -> None:
    (found,) = facts(world, "london-faces")
    assert f"{found['parameters'] / 1e6:.1f} M" == "6.2 M"


def test_images_inside_an_edits_file_are_named_by_kind_and_size(world: Any) -> None:
    noise = torch.rand(1, 3, 80, 80, generator=torch.Generator().manual_seed(0)) * 2 - 1
    save_image(world.folder / "noise.png", noise)
    data = (world.folder / "noise.png").read_bytes()
    uri = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    world.edits(lambda content: content["edits"][0].update(exemplar=uri))
    result = world.run("info", "edits.json")
    assert result.exit_code == 0 and uri[:30] not in result.stdout
    assert f"exemplar image/png, {len(data) / 1000:.0f} kB, region" in result.stdout
    assert facts(world, "edits.json")[0]["edits"][0]["exemplar"] == uri


def test_a_bundled_name_stands_for_its_file(world: Any) -> None:
    named, file = facts(world, "portraits", str(BUNDLED_FOLDER / "portraits.safetensors"))
    assert named == file and named["format"] == "generator"
    assert named["image_size"] == [named["resolution"]] * 2
    text = world.run("info", "portraits")
    assert text.exit_code == 0 and f"digest: {named['digest']}" in text.stdout.splitlines()


def test_the_card_of_the_photographs_generator(world: Any) -> None:
    (found,) = facts(world, "london-faces")
    assert (found["licence"], found["image_size"]) == ("CC BY 4.0", [256, 256])
    assert "Face Research Lab London Set" in found["attribution"]
    assert "consented" in found["consent"] and "not for identifying" in found["intended_use"]
    assert [part["kimg"] > 0 for part in found["training"]["parts"]] == [True, True]
    assert found["measures"]["photographs"] == 203
    assert "python -m experiments.london_faces" in found["measures"]["command"]
    assert 0 <= found["measures"]["truncation_1"]["recall"] <= 1


def test_the_run_folder_of_a_generator(world: Any) -> None:
    (world.folder / "run").mkdir()
    (world.folder / "g.safetensors").rename(world.folder / "run" / "generator.safetensors")
    (found,) = facts(world, "run")
    assert (found["format"], found["results"]) == ("run folder", ["generator.safetensors"])


@pytest.mark.parametrize(("name", "owner"), [("p", "g.safetensors"), ("other_p", None)])
def test_a_projector(world: Any, name: str, owner: str | None) -> None:
    (found,) = facts(world, f"{name}.safetensors", "--generator", "g.safetensors")
    assert (found["format"], found["value_layer"]) == ("projector", 5)
    assert found["belongs_to"] == owner and len(found["base"]) == 64


def test_a_rewrite_with_and_without_its_generator(world: Any) -> None:
    assert world.run(*REWRITE, "-o", "out").exit_code == 0
    (known,) = facts(world, "out/rewrite.safetensors", "--generator", "g.safetensors")
    (alone,) = facts(world, "out/rewrite.safetensors")
    assert (known["format"], known["belongs_to"], alone["belongs_to"]) == (
        *("rewrite", "g.safetensors", None),
    )
    names = [f"synthesis.convs.{layer}.{kind}" for layer in "45" for kind in ("bias", "weight")]
    assert [change["name"] for change in known["changes"]] == names
    weights = [change for change in known["changes"] if change["name"].endswith("weight")]
    assert all(0 < change["relative"] < 1 and change["largest"] > 0 for change in weights)
    assert [change["relative"] for change in alone["changes"]] == [None] * 4
    assert known["settings"]["fit"]["steps"] == 2


def test_features(world: Any) -> None:
    assert world.run(*PROJECT, "-o", "out").exit_code == 0
    (found,) = facts(world, "out/cat.features.safetensors", "--generator", "g.safetensors")
    assert (found["format"], found["belongs_to"]) == ("features", "g.safetensors")
    assert found["shapes"] == {"features": [1, 8, 16, 16]}
    assert (found["source"], found["value_layer"]) == ("cat.png", 5)


def test_edits(world: Any) -> None:
    (found,) = facts(world, "edits.json")
    assert (found["format"], found["version"], found["memory_layers"]) == ("edits", 1, 2)
    assert [target["seed"] for target in found["edits"][0]["targets"]] == [3, 4]
    world.edits(lambda content: content.update(version=7))
    result = world.run("info", "edits.json")
    assert result.exit_code == 2
    assert result.stderr == "Error: edits.json: version: got 7, expected 1; update regen\n"


def test_run_folders_and_metrics(world: Any) -> None:
    assert world.run(*REWRITE, "-o", "out").exit_code == 0
    assert world.run(*PROJECT, "-o", "seen").exit_code == 0
    files = ("out/metrics.json", "out/settings.json")
    run, seen, metrics, settings = facts(world, "out", "seen", *files)
    assert run["format"] == seen["format"] == "run folder"
    assert run["results"] == ["rewrite.safetensors", "report.html", "before_after.png"]
    assert run["metrics"]["seeds"] == 2 and run["settings"]["fit"]["steps"] == 2
    assert seen["metrics"]["images"][0]["name"] == "cat"
    assert seen["results"] == ["cat.features.safetensors"]
    assert (metrics["format"], metrics["seeds"]) == ("metrics", 2)
    assert (settings["format"], settings["fit"]["steps"]) == ("settings", 2)


def test_text_for_people(world: Any) -> None:
    assert world.run(*REWRITE, "-o", "out").exit_code == 0
    words = ("g.safetensors", "out/rewrite.safetensors", "--generator", "g.safetensors")
    result = world.run("info", *words)
    assert result.exit_code == 0
    first, second = result.stdout.split("\n\n")
    assert first.splitlines()[:3] == ["file: g.safetensors", "format: generator", "version: 1"]
    assert "  conv_clamp: none" in first.splitlines()
    assert "belongs_to: g.safetensors" in second.splitlines()
    assert "    preserve_outside_match: yes" in second.splitlines()
    start = "  - name synthesis.convs.4.weight, shape [8, 8, 3, 3], largest "
    assert sum(line.startswith(start) for line in second.splitlines()) == 1


def test_a_run_folder_begins_with_what_matters(world: Any) -> None:
    assert world.run(*REWRITE, "-o", "out").exit_code == 0
    short, full = world.run("info", "out"), world.run("info", "--all", "out")
    assert short.exit_code == full.exit_code == 0
    lines = short.stdout.splitlines()
    assert len(lines) < 12 and len(full.stdout.splitlines()) > 60
    assert lines[:2] == [
        "file: out",
        f"what: a rewrite, of the generator {world.folder}/g.safetensors",
    ]
    assert "edit: cat.png into seed 3, seed 4" in lines
    assert any(line.startswith("verdict: The rule ") for line in lines)
    assert lines[-1] == "all of it: regen info --all out"
    assert "    report_every: 10" in full.stdout.splitlines()
    (found,) = facts(world, "out")
    assert f"use it: {found['use']}" == lines[-2] and found["settings"]["fit"]["steps"] == 2
    words = found["use"].removeprefix("regen ").replace("0-63", "0").split()
    assert world.run(*words).exit_code == 0


def test_a_generator_to_compare_with_that_is_not_there(world: Any) -> None:
    result = world.run("info", "p.safetensors", "--generator", "none.safetensors")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: no such generator: got none.safetensors, ")


HOSTILE = "os\x1b]0;PWNED\x07\x1b[2J\x1b[31m.\u202esystem\x9b\ud800"


def hostile_pickle() -> bytes:
    names = (HOSTILE.encode("utf-8", "surrogatepass"), b"\xed\xa0\x80x")
    return b"\x80\x04" + b"".join(b"\x8c" + bytes([len(n)]) + n for n in names) + b"\x93."


def test_nothing_that_a_terminal_obeys_is_printed(world: Any) -> None:
    (world.folder / "a.pkl").write_bytes(hostile_pickle())
    header = {"format": "features", "version": 1, f"k{HOSTILE}": HOSTILE, "deep": [{"a": HOSTILE}]}
    save(world.folder / "b.safetensors", {f"t{HOSTILE[:-1]}": torch.ones(1)}, header)
    for words in (["info", "a.pkl", "b.safetensors"], ["info", "--json", "a.pkl", "b.safetensors"]):
        result = world.run(*words)
        assert result.exit_code == 0 and result.stderr == ""
        assert all(line.isprintable() for line in result.stdout.split("\n"))
    found = json.loads(result.stdout)
    assert found[0]["globals"] == [{"name": f"{HOSTILE}.\ud800x", "known": False}]
    assert found[1][f"k{HOSTILE}"] == HOSTILE
    for words in (("generate",), ("rewrite", "--edits", "edits.json")):
        result = world.run(*words, "--generator", "a.pkl", "-o", "out")
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1 and result.stderr[:-1].isprintable()


@pytest.mark.parametrize("name", ["metrics.json", "a.json"])
def test_deep_json_is_refused(world: Any, name: str) -> None:
    (world.folder / name).write_text('{"lpips": ' + "[" * 900 + "]" * 900 + "}")
    result = world.run("info", name)
    assert result.exit_code == 2
    reason = "cannot be shown: its JSON is nested deeper than 64 levels"
    assert result.stderr == f"Error: {name} {reason}\n"


def test_a_header_cannot_pretend_what_is_counted(world: Any) -> None:
    header = {"format": "features", "version": 1, "file": "other", "bytes": 0, "tensors": 99}
    save(world.folder / "b.safetensors", {"t": torch.ones(1)}, header)
    (found,) = facts(world, "b.safetensors")
    assert (found["file"], found["tensors"], found["format"]) == ("b.safetensors", 1, "features")
    assert found["bytes"] == (world.folder / "b.safetensors").stat().st_size


def test_tensors_of_another_tool(world: Any) -> None:
    safetensors.torch.save_file({"x": torch.ones(1)}, world.folder / "b.safetensors")
    (found,) = facts(world, "b.safetensors")
    assert (found["format"], found["globals"]) == ("safetensors", [])
    assert found["cannot_be_opened"].startswith("b.safetensors does not hold a generator")


@pytest.mark.parametrize("word", ["info", "generate", "convert"])
@pytest.mark.parametrize("name", ["x" * 5000, "/proc/self/mem", "caf\udce9.pkl", "\u202ea.pkl"])
def test_names_that_cannot_be_read(world: Any, word: str, name: str) -> None:
    words = [word, *(["--generator"] if word == "generate" else []), name]
    result = world.run(*words, *{"generate": ["-o", "out"], "convert": ["x.pkl"]}.get(word, []))
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    assert result.stderr[:-1].isprintable() and len(result.stderr) < 6000


def test_a_name_with_half_a_character_can_be_read(world: Any) -> None:
    path = world.folder / "caf\udce9.safetensors"
    save(path, {"t": torch.ones(1)}, {"format": "features", "version": 1})
    result = world.run("info", path.name)
    assert result.exit_code == 0
    assert result.stdout.startswith("file: caf\\udce9.safetensors\n")
