"""`regen.edits.json_schema`: the schema that editors use."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from regen.edits import json_schema
from regen.edits.file_models import EditsJson
from regen.edits.region_json import RegionJson
from regen.edits.schema import read_edits

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.json"))


def objects(part):
    """All objects that a schema describes, by name."""
    return {"Edits": part, **part["$defs"]}


def test_the_file_is_current():
    content = json.loads((ROOT / json_schema.PATH).read_text(encoding="utf-8"))
    assert content == json_schema.edits_schema(), "run python -m regen.edits.json_schema"


def test_the_command_writes_it(tmp_path):
    words = [sys.executable, "-m", "regen.edits.json_schema", str(tmp_path / "s.json")]
    subprocess.run(words, check=True, cwd=ROOT)
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == json_schema.schema_text()


def test_every_key_is_explained():
    for name, part in objects(json_schema.edits_schema()).items():
        assert part["additionalProperties"] is False and part["description"]
        for key, value in part["properties"].items():
            assert len(value["description"]) > 5, f"{name}.{key}"
            assert value["description"].endswith("."), f"{name}.{key}"


def test_the_numbers_of_shapes_are_explained():
    region = json_schema.edits_schema()["$defs"]["RegionJson"]
    said = region["description"] + " ".join(p["description"] for p in region["properties"].values())
    for word in ("pixels", "x to the right and y down", "[x0, y0, x1, y1]", "half axes"):
        assert word in said


def test_it_has_the_keys_that_are_read():
    schema = json_schema.edits_schema()
    assert set(schema["properties"]) == {
        field.alias or name for name, field in EditsJson.model_fields.items()
    }
    region = schema["$defs"]["RegionJson"]["properties"]
    assert list(region) == list(RegionJson.model_fields)
    assert region["box"]["minItems"] == region["box"]["maxItems"] == 4
    assert region["polygon"]["minItems"] == 3
    assert schema["properties"]["align"]["enum"] == ["image", "feature"]
    assert "null" not in json_schema.schema_text()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_name_it_and_are_read(path):
    named = json.loads(path.read_text())["$schema"]
    assert (path.parent / named).resolve() == ROOT / json_schema.PATH
    if "skimage" in path.read_text():
        pytest.importorskip("skimage", reason="scikit-image is a dependency of the demo only")
    assert 1 <= len(read_edits(path).edits) <= 3
