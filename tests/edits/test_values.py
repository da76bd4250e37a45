"""What an edits file says, written and read back."""

from __future__ import annotations

import json

import pytest

from regen.edits.schema import Edits, PasteOracle, Weights
from regen.errors import StoreError
from tests.helpers.edits_files import BOX, FULL, LEAST, read


def test_one_weight_leaves_the_other_unsaid(folder):
    assert read(folder, {**LEAST, "weights": {"old": 0}}).weights == Weights(None, 0.0)


def test_only_what_is_said_is_written(folder):
    content = read(folder, LEAST).to_json()
    assert list(content) == ["version", "generator", "edits"]
    assert content["edits"][0]["targets"] == [{"seed": 3, "region": {"boxes": [BOX["box"]]}}]
    assert read(folder, {**LEAST, "weights": {"old": 2}}).to_json()["weights"] == {"old": 2}


def test_the_oracle_may_be_the_pattern_pasted(folder):
    edits = read(folder, {**LEAST, "oracle": {"paste": True}})
    assert (edits.oracle, edits.oracle_pattern) == (PasteOracle(), None)
    assert edits.to_json()["oracle"] == {"paste": True}


@pytest.mark.parametrize("embed", [False, True])
def test_what_is_written_is_read_back_elsewhere(folder, tmp_path_factory, embed):
    edits = read(folder, FULL)
    content = json.loads(json.dumps(edits.to_json(embed=embed)))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    again = read(elsewhere, content)
    assert again.to_json(embed=True) == edits.to_json(embed=True)
    assert again.edits[0].targets == edits.edits[0].targets
    assert (again.edits[0] == edits.edits[0]) is not embed  # the source has become a data URI


def test_an_embedded_file_needs_no_images(folder, tmp_path_factory):
    content = read(folder, LEAST).to_json(embed=True)
    (folder / "cat.png").unlink()
    again = read(tmp_path_factory.mktemp("elsewhere"), content)
    assert again.edits[0].exemplar.load().shape == (1, 3, 80, 90)


@pytest.mark.parametrize("path", [None, 3, b"edits.json", ""])
def test_a_place_that_is_no_path_is_told(folder, path):
    with pytest.raises(StoreError, match="^path to save to: got .*, expected a path$"):
        Edits(edits=()).save(path)


def test_edits_are_saved_whole_or_not_at_all(folder, tmp_path_factory):
    edits, path = read(folder, FULL), tmp_path_factory.mktemp("elsewhere") / "edits.json"
    edits.save(path)
    assert json.loads(path.read_text()) == edits.to_json(embed=True)
    edits.save(path, embed=False)
    assert json.loads(path.read_text()) == edits.to_json()
    with pytest.raises(StoreError, match="create the folder first"):
        edits.save(path.parent / "none" / "edits.json")
