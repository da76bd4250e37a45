"""How pydantic reads an edits file, and how its findings become messages of regen's.

A file model (`ObjectModel`) says which keys an object of the file has. A field may be *read as*
one thing and *made into* another (`ReadAs`): a list of four numbers becomes a region. Whatever is
wrong, `validated` raises one EditsError that starts with the file and the path inside it, and says
what was got, what was expected and what to do. No wording of pydantic's is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic import GetCoreSchemaHandler as Handler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from regen.edits.checked_json import (
    did_you_mean,
    path_in_file,
    shortened,
    shown,
    shown_key,
)
from regen.errors import EditsError, RegenError
from regen.files.limits import MAX_EDITS_PIXELS, MAX_FEATHER, MAX_TRUNCATION, MAX_WEIGHT, MIN_WEIGHT
from regen.seeds import ANY_SEED, LARGEST_SEED

T = TypeVar("T")

TEXT, OBJECT = "<text>", "<object>"  # which member of a union was read; not part of a path


def validated(kind: Any, value: object, *, file: str, folder: Path) -> Any:
    """A value of JSON as what a type annotation says.

    Args:
        kind: A type, often `Annotated` with classes of this module.
        value: As `read_json` gives it.
        file: Name of the file, for messages.
        folder: Folder that paths in the file are relative to.

    Raises:
        EditsError: If the value is not of type `kind`.
    """
    try:
        return TypeAdapter(kind).validate_python(value, context=EditsFile(folder, file))
    except ValidationError as error:
        raise _edits_error(error, file) from None


class ObjectModel(BaseModel):
    """An object of the file, with the keys that it may have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _has_known_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise located(EditsError("", got=shown(value), expected="an object {...}"))
        known = [field.alias or name for name, field in cls.model_fields.items()]
        unknown = next((name for name in value if name not in known), None)
        if unknown is not None:
            near = did_you_mean(unknown, known)
            raise located(
                EditsError(
                    f"unknown key {shown_key(unknown)}",
                    remedy=near or f"known are {', '.join(known)}",
                )
            )
        return value


@dataclass
class EditsFile:
    """Where a file stands, what its images may still cost, and what is to be said of them.

    Attributes:
        folder: What paths in the file are relative to.
        name: What messages call the file.
        mask_pixels_left: How many pixels further masks may have.
        remarks: On masks that can be used: their regions, and what their user should know.
    """

    folder: Path
    name: str = "edits"
    mask_pixels_left: int = MAX_EDITS_PIXELS
    remarks: list[tuple[object, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Expected:
    """What a message names as expected where the value itself, not one inside it, is wrong."""

    text: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Handler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._check, handler(source))

    def _check(self, value: Any, inner: Callable[[Any], Any]) -> Any:
        try:
            return inner(value)
        except ValidationError as error:
            if any(found["loc"] for found in error.errors(include_url=False)):
                raise
            raise located(EditsError("", got=shown(value), expected=self.text)) from None


@dataclass(frozen=True)
class ExpectedNumber:
    """As `Expected`, for a single number; long lists of numbers are checked without Python."""

    text: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Handler) -> CoreSchema:
        return core_schema.custom_error_schema(
            handler(source),
            "regen",
            custom_error_message="not what is expected",
            custom_error_context={"expected": self.text},
        )


class OneOf:
    """For a Literal of words: names them all, and the one that was probably meant."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Handler) -> CoreSchema:
        words = get_args(source)

        def check(value: Any, inner: Callable[[Any], Any]) -> Any:
            if isinstance(value, str) and value in words:
                return inner(value)
            choice = " or ".join(map(repr, words))
            remedy = did_you_mean(str(value), words)
            raise located(EditsError("", got=shown(value), expected=choice, remedy=remedy))

        return core_schema.no_info_wrap_validator_function(check, handler(source))


@dataclass(frozen=True)
class ReadAs:
    """A field that stands in the file as `kind`, and becomes what `make` makes of that.

    Attributes:
        kind: A type annotation.
        make: Called with the value and the file it is from. A RegenError that it raises is
            reported at the path of the field.
    """

    kind: Any
    make: Callable[[Any, EditsFile], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Handler) -> CoreSchema:
        inner = handler.generate_schema(self.kind)
        return core_schema.with_info_after_validator_function(self._made, inner)

    def _made(self, value: Any, info: ValidationInfo) -> Any:
        file = info.context
        assert isinstance(file, EditsFile)  # as `validated` gives it
        try:
            return self.make(value, file)
        except RegenError as error:
            raise located(error) from error


def _text_or_object(value: Any) -> str | None:
    return TEXT if isinstance(value, str) else OBJECT if isinstance(value, dict) else None


TEXT_OR_OBJECT = Discriminator(_text_or_object)
NOT_EMPTY = Field(min_length=1)
_LARGEST_INTEGER = 2**63 - 1

Seed = Annotated[
    int,
    Field(strict=True, ge=0, le=LARGEST_SEED),
    ExpectedNumber(ANY_SEED),
]
Integer1 = Annotated[
    int,
    Field(strict=True, ge=1, le=_LARGEST_INTEGER),
    ExpectedNumber(f"an integer from 1 to {_LARGEST_INTEGER}"),
]
_FINITE = Field(strict=True, allow_inf_nan=False)
Number = Annotated[float, _FINITE, ExpectedNumber("a number")]

Truncation = Annotated[
    float,
    _FINITE,
    Field(ge=0, le=MAX_TRUNCATION),
    ExpectedNumber(f"a number from 0 to {MAX_TRUNCATION:g}"),
]
Feather = Annotated[
    float,
    _FINITE,
    Field(ge=0, le=MAX_FEATHER),
    ExpectedNumber(f"a number from 0 to {MAX_FEATHER:g}"),
]
WeightFrom0 = Annotated[
    float,
    _FINITE,
    Field(ge=0, le=MAX_WEIGHT),
    ExpectedNumber(f"a number from 0 to {MAX_WEIGHT:g}"),
]
WeightOfRegion = Annotated[
    float,
    _FINITE,
    Field(ge=MIN_WEIGHT, le=MAX_WEIGHT),
    ExpectedNumber(f"a number from {MIN_WEIGHT:g} to {MAX_WEIGHT:g}"),
]


def located(error: RegenError) -> PydanticCustomError:
    """An error as a validator raises it: pydantic carries it to the top and adds the path."""
    return PydanticCustomError("regen", "see the context", {"error": error})


def _edits_error(error: ValidationError, file: str) -> EditsError:
    """The first thing that is wrong, as one message."""
    found = error.errors(include_url=False)[0]
    location = tuple(part for part in found["loc"] if part not in (TEXT, OBJECT))
    context = found.get("ctx", {})
    if found["type"] == "missing":
        key = f"key {shown_key(str(location[-1]))} is missing"
        return EditsError(_joined(file, path_in_file(location[:-1]), key))
    path, inner = path_in_file(location), context.get("error")
    if isinstance(inner, RegenError):
        named = path.endswith(inner.problem)  # "box: box: got [...]" would say it twice
        problem = _joined(file, path, "" if named else shortened(inner.problem, 2000))
        return EditsError(problem, got=inner.got, expected=inner.expected, remedy=inner.remedy)
    expected = context.get("expected", found["msg"])
    return EditsError(_joined(file, path), got=shown(found["input"]), expected=str(expected))


def _joined(*parts: str) -> str:
    return ": ".join(part for part in parts if part)
