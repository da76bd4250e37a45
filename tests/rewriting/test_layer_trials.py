"""What is recorded of the trials of value layers."""

from __future__ import annotations

from regen.rewriting.layer_trials import LayerChoice, Trial


def test_a_cut_that_spilled_comes_after_all_that_did_not() -> None:
    trials = [
        Trial(13, 2, None, 0.4, 0.2, 0.5, True, 1.0),
        Trial(13, 3, None, 0.8, 0.02, 0.9, False, 1.0),
        Trial(13, 4, None, 0.7, 0.02, 0.8, False, 1.0),
    ]
    assert [trial.memory_layers for trial in sorted(trials, key=lambda t: t.rank)] == [4, 3, 2]


def test_what_is_recorded_is_json_of_the_trials() -> None:
    trials = [
        Trial(5, 2, "p5", 0.50004, 0.25, 0.6, False, 1.5),
        Trial(4, 2, "p4", 0.75, 0.5, 0.95, False, 1.25),
    ]
    recorded = LayerChoice(trials, None, [1, 2]).recorded()
    assert recorded["trials"][0] == {
        "value_layer": 5,
        "memory_layers": 2,
        "projector": "p5",
        "inside": 0.5,
        "outside": 0.25,
        "score": 0.6,
        "spilled": False,
        "seconds": 1.5,
    }
    assert (recorded["held_out"], recorded["without_projector"]) == (None, [1, 2])
