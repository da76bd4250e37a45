from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from regen.errors import RewriteError, StoreError
from regen.files import tensor_file
from regen.generators.registry import open_generator
from regen.generators.stylegan2.generator import StyleGAN2
from regen.rewriting.rewrite import Rewrite, apply, compose, load_rewrites, revert, rewritten

NAMES = ("synthesis.convs.3.weight", "synthesis.convs.3.bias", "synthesis.convs.4.bias")


def random_rewrite(generator: StyleGAN2, names: tuple[str, ...] = NAMES) -> Rewrite:
    parameters = dict(generator.named_parameters())
    deltas = {name: torch.randn(parameters[name].shape) for name in names}
    return Rewrite(deltas, generator.digest(), generator.family, {"steps": 250, "lr": 0.02})


@pytest.fixture
def rewrite(generator: StyleGAN2) -> Rewrite:
    return random_rewrite(generator)


def test_applying_adds_the_deltas_and_returns_the_originals(
    generator: StyleGAN2, rewrite: Rewrite
) -> None:
    before = {name: p.clone() for name, p in generator.named_parameters()}
    originals = apply(generator, rewrite)
    assert set(originals) == set(NAMES)
    for name, parameter in generator.named_parameters():
        if name in NAMES:
            assert torch.equal(originals[name], before[name])
            assert torch.equal(parameter, before[name] + rewrite.deltas[name])
        else:
            assert torch.equal(parameter, before[name])


def test_it_is_shown_without_its_numbers(rewrite: Rewrite) -> None:
    start = f"<Rewrite of stylegan2 generator {rewrite.base[:12]}, "
    one = Rewrite({"a.weight": torch.ones(2, 3)}, rewrite.base, rewrite.family)
    assert repr(one) == f"{start}1 weight: a.weight [2, 3]>"
    assert repr(Rewrite({}, rewrite.base, rewrite.family)) == f"{start}no weights>"
    shapes = {name: list(delta.shape) for name, delta in sorted(rewrite.deltas.items())}
    shown = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    assert repr(rewrite) == f"{start}3 weights: {shown}>"


@pytest.mark.parametrize("trains", [True, False])
def test_reverting_restores_the_digest_exactly(
    generator: StyleGAN2, rewrite: Rewrite, trains: bool
) -> None:
    generator.requires_grad_(trains)
    image = generator(generator.seed_latents([1])).detach()
    originals = apply(generator, rewrite.scaled(1e5))  # so large that subtracting would round
    assert generator.digest() != rewrite.base
    assert not torch.equal(generator(generator.seed_latents([1])).detach(), image)
    revert(generator, originals)
    assert generator.digest() == rewrite.base
    assert torch.equal(generator(generator.seed_latents([1])).detach(), image)


def test_rewritten_lasts_as_long_as_the_block(generator: StyleGAN2, rewrite: Rewrite) -> None:
    with rewritten(generator, rewrite) as changed:
        assert changed is generator
        assert generator.digest() != rewrite.base
    assert generator.digest() == rewrite.base


def test_a_rewritten_twin_leaves_the_generator_alone(
    generator: StyleGAN2, rewrite: Rewrite
) -> None:
    digest, twin = generator.digest(), generator.twin()
    with rewritten(twin, rewrite):
        assert generator.digest() == digest != twin.digest()
    assert twin.digest() == digest


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_rewritten_ends_with_an_exception_too(
    generator: StyleGAN2, rewrite: Rewrite, error: type[BaseException]
) -> None:
    with pytest.raises(error), rewritten(generator, rewrite):
        raise error
    assert generator.digest() == rewrite.base


class Interrupted(dict[str, Tensor]):
    """Deltas during whose second reading, the one that adds them, Ctrl-C is pressed."""

    reading = 0

    def items(self) -> Iterator[tuple[str, Tensor]]:  # type: ignore[override]
        self.reading += 1
        for number, pair in enumerate(super().items()):
            if self.reading == 2 and number == 2:
                raise KeyboardInterrupt
            yield pair


def test_an_interruption_while_applying_leaves_nothing_behind(
    generator: StyleGAN2, rewrite: Rewrite
) -> None:
    deltas = Interrupted(rewrite.deltas)
    with pytest.raises(KeyboardInterrupt):
        apply(generator, Rewrite(deltas, rewrite.base, rewrite.family))
    assert deltas.reading == 2
    assert generator.digest() == rewrite.base


def test_a_strength_scales_every_delta(generator: StyleGAN2, rewrite: Rewrite) -> None:
    half = rewrite.scaled(0.5)
    for name, delta in rewrite.deltas.items():
        assert torch.equal(half.deltas[name], 0.5 * delta)
    assert half.base == rewrite.base
    assert half.settings == {"steps": 250, "lr": 0.02, "strength": 0.5}
    assert half.scaled(-3.0).settings["strength"] == -1.5
    with rewritten(generator, rewrite.scaled(0)):
        assert generator.digest() == rewrite.base


@pytest.mark.parametrize("half", [np.float32(0.5), np.array(0.5), torch.tensor(0.5)])
def test_a_strength_may_be_of_numpy_and_torch(rewrite: Rewrite, half: Any, tmp_path: Path) -> None:
    scaled = rewrite.scaled(half)
    assert scaled.settings == rewrite.scaled(0.5).settings
    scaled.save(tmp_path / "half.safetensors")


@pytest.mark.parametrize("strength", [math.nan, math.inf, True, "1", None, 10**400])
def test_a_strength_is_a_finite_number(rewrite: Rewrite, strength: Any) -> None:
    with pytest.raises(RewriteError, match="^strength: got .*, expected a finite number$"):
        rewrite.scaled(strength)


def test_composed_rewrites_are_summed_name_by_name(generator: StyleGAN2) -> None:
    one, two = random_rewrite(generator, NAMES[:2]), random_rewrite(generator, NAMES[1:])
    both = compose([one, two])
    assert set(both.deltas) == set(NAMES)
    assert torch.equal(both.deltas[NAMES[0]], one.deltas[NAMES[0]])
    assert torch.equal(both.deltas[NAMES[1]], one.deltas[NAMES[1]] + two.deltas[NAMES[1]])
    assert torch.equal(both.deltas[NAMES[2]], two.deltas[NAMES[2]])
    assert (both.base, both.family, both.settings) == (one.base, "stylegan2", {"composed_of": 2})
    with rewritten(generator, both):
        assert generator.digest() != one.base
    assert generator.digest() == one.base


def test_a_rewrite_composed_with_its_opposite_changes_nothing(rewrite: Rewrite) -> None:
    nothing = compose([rewrite, rewrite.scaled(-1)])
    assert all(delta.eq(0).all() for delta in nothing.deltas.values())


def test_composing_leaves_its_parts_alone(rewrite: Rewrite) -> None:
    before = {name: delta.clone() for name, delta in rewrite.deltas.items()}
    compose([rewrite, rewrite, rewrite])
    assert all(torch.equal(rewrite.deltas[name], before[name]) for name in before)


def test_nothing_cannot_be_composed() -> None:
    with pytest.raises(RewriteError, match="compose: got no rewrites, expected at least one"):
        compose([])


@pytest.mark.parametrize(
    ("rewrites", "got"), [(3, "int"), (["r.safetensors"], "str"), ("r", "str")]
)
def test_what_is_no_rewrite_cannot_be_composed_or_applied(
    generator: StyleGAN2, rewrites: Any, got: str
) -> None:
    with pytest.raises(RewriteError, match=f": got {got}, expected "):
        compose(rewrites)
    message = f"^rewrite: got {type(rewrites).__name__}, .*; `regen.Rewrite.load` opens a file$"
    with pytest.raises(RewriteError, match=message):
        apply(generator, rewrites)


@pytest.mark.parametrize("path", [None, 3, b"r.safetensors", ""])
def test_what_is_no_path_is_told(rewrite: Rewrite, path: Any) -> None:
    with pytest.raises(StoreError, match="^path to save to: got .*, expected a path$"):
        rewrite.save(path)
    with pytest.raises(StoreError, match="^rewrite: got .*, expected the path of one$"):
        Rewrite.load(path)


def test_rewrites_of_different_generators_cannot_be_composed(rewrite: Rewrite) -> None:
    other = Rewrite(rewrite.deltas, "f" * 64, rewrite.family)
    message = f"cannot be composed: got one of generator {rewrite.base[:12]} and one of generator f"
    with pytest.raises(RewriteError, match=message):
        compose([rewrite, other])
    ours = (open_generator(name).digest() for name in ("portraits", "london-faces"))
    bundled = [Rewrite(rewrite.deltas, base, rewrite.family) for base in ours]
    with pytest.raises(
        RewriteError, match="got one of portraits and one of london-faces, expected"
    ):
        compose(bundled)


def test_a_weight_that_two_rewrites_give_other_shapes_is_named(rewrite: Rewrite) -> None:
    other = Rewrite({NAMES[1]: torch.zeros(7)}, rewrite.base, rewrite.family)
    message = rf"rewrites of {NAMES[1]} cannot be composed: got shapes \[8\] and \[7\], expected eq"
    with pytest.raises(RewriteError, match=message):
        compose([rewrite, other])
    one = Rewrite({NAMES[1]: torch.zeros(1)}, rewrite.base, rewrite.family)
    with pytest.raises(RewriteError, match=r"shapes \[8\] and \[1\]"):  # though it broadcasts
        compose([rewrite, one])


def test_another_base_is_refused_and_nothing_changes(
    generator: StyleGAN2, rewrite: Rewrite
) -> None:
    other = Rewrite(rewrite.deltas, "0" * 64, rewrite.family)
    message = (
        "this rewrite belongs to another generator, or to this one before it was changed: "
        f"got generator {rewrite.base[:12]}, expected generator {'0' * 12}; open the generator"
    )
    for attempt in (
        lambda: apply(generator, other),
        lambda: rewritten(generator, other).__enter__(),
    ):
        with pytest.raises(RewriteError, match=message):
            attempt()
    assert generator.digest() == rewrite.base


def test_a_rewrite_cannot_be_applied_twice(generator: StyleGAN2, rewrite: Rewrite) -> None:
    with rewritten(generator, rewrite):
        changed = generator.digest()
        with pytest.raises(RewriteError, match="compose rewrites before applying them"):
            apply(generator, rewrite)
        assert generator.digest() == changed


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("synthesis.convs.9.bias", [8], r"convs.9.bias: got \[8\], expected no such parameter"),
        ("synthesis.convs.1.bias", [7], r"rewrite of synthesis.convs.1.bias: got \[7\], expected"),
        ("mapping.w_mean", [8], "expected no such parameter"),  # a buffer
    ],
)
def test_deltas_that_do_not_fit_are_refused_and_nothing_changes(
    generator: StyleGAN2, rewrite: Rewrite, name: str, shape: list[int], message: str
) -> None:
    deltas = {**rewrite.deltas, name: torch.zeros(shape)}
    with pytest.raises(RewriteError, match=message):
        apply(generator, Rewrite(deltas, rewrite.base, rewrite.family))
    assert generator.digest() == rewrite.base


def test_a_saved_rewrite_comes_back(rewrite: Rewrite, tmp_path: Path) -> None:
    rewrite.save(tmp_path / "r.safetensors")
    loaded = Rewrite.load(tmp_path / "r.safetensors")
    assert set(loaded.deltas) == set(rewrite.deltas)
    assert all(torch.equal(loaded.deltas[name], rewrite.deltas[name]) for name in NAMES)
    assert (loaded.base, loaded.family) == (rewrite.base, rewrite.family)
    assert loaded.settings == rewrite.settings


def test_files_are_loaded_as_their_sum_at_their_strengths(rewrite: Rewrite, tmp_path: Path) -> None:
    path = tmp_path / "rewrite.safetensors"
    rewrite.save(path)
    assert load_rewrites([]) is None
    loaded = load_rewrites([(path, 0.5), (tmp_path, 1.0)])  # a run folder stands for its file
    assert loaded is not None
    for name, delta in rewrite.deltas.items():
        torch.testing.assert_close(loaded.deltas[name], 1.5 * delta)


def test_equal_rewrites_give_equal_bytes(rewrite: Rewrite, tmp_path: Path) -> None:
    turned = {name: rewrite.deltas[name].clone() for name in reversed(NAMES)}
    name = NAMES[0]
    turned[name] = turned[name].contiguous(memory_format=torch.channels_last)
    settings = dict(reversed(list(rewrite.settings.items())))
    rewrite.save(tmp_path / "a")
    Rewrite(turned, rewrite.base, rewrite.family, settings).save(tmp_path / "b")
    rewrite.scaled(2.0).save(tmp_path / "c")
    one, same, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert one == same
    assert one != other


@pytest.mark.parametrize("missing", ["base", "family", "settings"])
def test_headers_say_which_generator_and_how(
    rewrite: Rewrite, tmp_path: Path, missing: str
) -> None:
    header: dict[str, Any] = {"format": "rewrite", "version": 1}
    header |= {"base": rewrite.base, "family": rewrite.family, "settings": {}}
    del header[missing]
    tensor_file.save(tmp_path / "r", rewrite.deltas, header)
    message = f"r: header: got no {missing}, expected base, family and settings"
    with pytest.raises(RewriteError, match=message):
        Rewrite.load(tmp_path / "r")


@pytest.mark.parametrize("strength", ["x", True, None, [0.5]])
def test_a_strength_that_is_no_number_is_refused(
    rewrite: Rewrite, tmp_path: Path, strength: object
) -> None:
    Rewrite(rewrite.deltas, rewrite.base, rewrite.family, {"strength": strength}).save(
        tmp_path / "r"
    )
    with pytest.raises(RewriteError) as caught:
        Rewrite.load(tmp_path / "r")
    assert str(caught.value) == (
        f"{tmp_path}/r: header: settings.strength: got {strength!r}, expected a number"
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_deltas_that_are_not_finite_are_neither_saved_nor_loaded(
    rewrite: Rewrite, tmp_path: Path, value: float
) -> None:
    path = tmp_path / "r.safetensors"
    rewrite.save(path)
    header, before = tensor_file.read_header(path), path.read_bytes()
    deltas = {name: delta.double() for name, delta in rewrite.deltas.items()}
    deltas[NAMES[1]][3] = value
    message = rf"r\.safetensors: {NAMES[1]}: got NaN or infinity, expected finite numbers; learn"
    with pytest.raises(RewriteError, match=message):
        Rewrite(deltas, rewrite.base, rewrite.family).save(path)
    assert path.read_bytes() == before
    tensor_file.save(path, deltas, header)
    with pytest.raises(RewriteError, match=message):
        Rewrite.load(path)


def test_files_of_another_format_are_refused(tmp_path: Path) -> None:
    tensor_file.save(tmp_path / "g", {"a": torch.zeros(1)}, {"format": "generator", "version": 1})
    with pytest.raises(StoreError, match="g: got a generator, expected a rewrite"):
        Rewrite.load(tmp_path / "g")
    with pytest.raises(StoreError, match="does not exist"):
        Rewrite.load(tmp_path / "none")
