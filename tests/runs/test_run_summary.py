"""`regen.runs.run_summary`: a few lines about each kind of run folder."""

from __future__ import annotations

from typing import Any

import pytest

from regen.runs.run_summary import summary

TARGETS = [{"seed": seed, "region": {}} for seed in range(8)]
EDITS = {
    "generator": "g",
    "edits": [
        {"exemplar": "/a/nose.png", "targets": TARGETS[:2]},
        {"exemplar": {"pattern": "hat", "seed": 3}, "targets": TARGETS},
        {"exemplar": "data:image/png;base64,AAAA", "targets": [{"picture": "b/dog.jpg"}]},
    ],
}


def facts(results: list[str], **content: Any) -> dict[str, Any]:
    return {"file": "my run", "format": "run folder", "results": results, **content}


def test_a_rewrite() -> None:
    settings = {"edits": EDITS, "value_layer": 10, "memory_layers": 3}
    metrics = {"verdict": {"text": "The rule took."}, "seeds": 16, "seconds": {"total": 9.6}}
    results = ["rewrite.safetensors", "report.html"]
    found = summary(facts(results, settings=settings, metrics=metrics, use="regen generate"))
    assert found == [
        ("file", "my run"),
        ("what", "a rewrite, of the generator g"),
        ("edit", "nose.png into seed 0, seed 1"),
        ("edit", "hat of seed 3 into seed 0, seed 1, seed 2, seed 3, seed 4, seed 5 and 2 more"),
        ("edit", "the embedded image into dog.jpg"),
        ("memory", "3 convolutions, up to value layer 10"),
        ("verdict", "The rule took."),
        ("took", "10 s, measured on 16 samples"),
        ("results", "rewrite.safetensors, report.html"),
        ("use it", "regen generate"),
        ("all of it", "regen info --all 'my run'"),
    ]


@pytest.mark.parametrize(
    ("results", "what"),
    [
        (["rewrite.partial.safetensors"], "a rewrite that was stopped before its end, of the "),
        ([], "a rewrite not learned, of the "),
    ],
)
def test_a_rewrite_without_its_end(results: list[str], what: str) -> None:
    found = dict(summary(facts(results, settings={"edits": EDITS})))
    assert found["what"].startswith(what) and "verdict" not in found


def test_trainings() -> None:
    settings: dict[str, Any] = {"images": "photos", "size": 64, "length_kimg": 300.0}
    measures = {"frechet_distance": 12.3456, "precision": 0.5}
    results = ["generator.safetensors"]
    done = dict(summary(facts(results, settings=settings, measures=measures)))
    assert done["what"] == "a generator of 64x64 images" and done["trained on"] == "photos"
    assert done["measured"] == "frechet distance 12.35, precision 0.5"
    begun = dict(summary(facts(["checkpoint.pt"], settings={**settings, "init_from": "portraits"})))
    assert begun["what"] == "the unfinished training of a generator of 64x64 images"
    assert (begun["began as"], begun["length"]) == ("portraits", "300 thousand images")
    settings = {"generator": "g", "value_layer": 10, "kimg": 50}
    begun = dict(summary(facts(["checkpoint.pt"], settings=settings)))
    assert begun["what"] == "the unfinished training of a projector"
    assert (begun["value layer"], begun["length"]) == ("10", "50 thousand samples")
    assert dict(summary(facts(["projector.safetensors"])))["what"] == "a projector"


def test_a_training_whose_time_was_up_says_how_far_it_came() -> None:
    settings: dict[str, Any] = {"generator": "g", "kimg": 100}
    short = dict(summary(facts(["projector.safetensors"], settings=settings, trained_kimg=0.144)))
    assert short["length"] == "0.144 of 100 thousand samples"
    settings = {"size": 64, "length_kimg": 300.0}
    results = ["generator.safetensors"]
    short = dict(summary(facts(results, settings=settings, trained_kimg=12.5)))
    assert short["length"] == "12.5 of 300 thousand images"
    whole = dict(summary(facts(results, settings=settings, trained_kimg=299.968)))
    assert whole["length"] == "300 thousand images"


def test_projections_and_previews() -> None:
    image = {"source": "cat.png", "projected": {"lpips": 0.41}, "out_of_reach": True}
    found = summary(facts([], metrics={"generator": "g", "images": [image] * 9}))
    text = "cat.png: LPIPS of the decoded image 0.41, which is out of its reach"
    assert [line for name, line in found if name == "image"] == [text] * 6 + ["and 3 more"]
    assert ("what", "a preview; nothing was learned") in summary(facts(["preview.png"]))


@pytest.mark.parametrize("content", [None, 3, [], [3], {"edits": 3}, {"edits": {"edits": [3]}}])
def test_files_may_hold_anything(content: object) -> None:
    everything = dict.fromkeys(("settings", "metrics", "measures"), content)
    found = summary(facts(["generator.safetensors"], **everything))
    assert found[0] == ("file", "my run") and found[-1][0] == "all of it"
