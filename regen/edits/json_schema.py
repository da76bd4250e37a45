"""Writes docs/edits.schema.json, by which editors check and explain an edits file.

    python -m regen.edits.json_schema

An edits file names the schema by its key "$schema".
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from regen.edits.file_models import EditsJson
from regen.files.atomic import write_text

PATH = Path("docs", "edits.schema.json")


class _Generator(GenerateJsonSchema):
    """Leaves out null, which is read as "not given" but need not be written, and made-up titles."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def edits_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of an edits file."""
    made = EditsJson.model_json_schema(by_alias=True, schema_generator=_Generator)
    for part in (made, *made["$defs"].values()):
        part["title"] = part["title"].removesuffix("Json")
        part["description"] = re.sub(r"(?<!\n)\n(?!\n)", " ", part["description"])  # unwrapped
    return {"$schema": GenerateJsonSchema.schema_dialect, **_alike(made)}


def _alike(part: Any) -> Any:
    """The same whatever pydantic's version: older ones wrap references and leave types out."""
    if isinstance(part, list):
        return [_alike(item) for item in part]
    if not isinstance(part, dict):
        return part
    made = {key: _alike(value) for key, value in part.items() if key != "allOf"}
    if "const" in made:
        made = {key: value for key, value in made.items() if key not in ("type", "enum")}
    (reference,) = part.get("allOf", [{}])
    return {**reference, **made}


def schema_text() -> str:
    """The schema as the file holds it."""
    return json.dumps(edits_schema(), indent=2, ensure_ascii=False) + "\n"


def main(path: Path = PATH) -> None:
    """Write the schema to `path`, relative to the current folder. Raises StoreError."""
    write_text(path, schema_text())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
