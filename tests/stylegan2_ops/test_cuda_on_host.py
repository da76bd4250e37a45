"""The CUDA kernels, run on the host in place of a GPU: values, shapes, layouts and errors.

The sources of the kernels are compiled by a C++ compiler against a small stand-in for CUDA (the
folder cuda_on_host), and registered for the CPU under a name of their own. What a GPU makes of them
is the business of test_cuda.py.
"""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from stylegan2_ops import bias_act, upfirdn2d
from stylegan2_ops._dispatch import use
from stylegan2_ops._plan import SOURCES
from stylegan2_ops._toolchain import ToolMissingError, find_cxx
from tests.tolerances import DTYPES, assert_near

NAME = "stylegan2_ops_on_host"
STAND_IN = Path(__file__).parent / "cuda_on_host"
TORCH = Path(torch.__file__).parent
PIECEWISE = ["linear", "relu", "lrelu"]
SMOOTH = ["tanh", "sigmoid", "elu", "selu", "softplus", "swish"]


@pytest.fixture(scope="module")
def operators(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if not sys.platform.startswith("linux"):
        pytest.skip("the stand-in for CUDA needs Linux")
    try:
        compiler = find_cxx().command
    except ToolMissingError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("cuda_on_host")
    flags = [
        *["-O0", "-std=c++17", "-fPIC", "-w", f"-Dstylegan2_ops={NAME}"],
        # Ends the process: a GPU would fault, or go on with other numbers.
        "-fsanitize=alignment,bounds,shift,signed-integer-overflow",
        "-fsanitize-undefined-trap-on-error",
        *["-DTORCH_TARGET_VERSION=0x020b000000000000", f"-I{STAND_IN}", f"-I{TORCH / 'include'}"],
    ]
    kernels = ["-x", "c++", "-include", str(STAND_IN / "cuda_runtime.h")]
    units = {"schema": [], "cuda/bias_act": kernels, "cuda/upfirdn2d": kernels}
    objects = [folder / f"{Path(unit).name}.o" for unit in units]
    running = []
    for (unit, extra), made in zip(units.items(), objects, strict=True):
        source = SOURCES / (unit + (".cu" if extra else ".cpp"))
        command = [*compiler, *flags, *extra, "-c", str(source), "-o", str(made)]
        running.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
    for process in running:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    library = folder / "kernels.so"
    link = ["-shared", *objects, "-o", library, f"-L{TORCH / 'lib'}", "-ltorch_cpu", "-ltorch"]
    subprocess.run([*compiler, *map(str, link), "-lc10"], check=True)
    torch.ops.load_library(str(library))
    return getattr(torch.ops, NAME)


def laid_out(x: Tensor, channels_last: bool) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last) if channels_last else x


def near(got: Tensor, wanted: Tensor, dtype: torch.dtype, size: float = 1.0) -> None:
    assert_near(got.double(), wanted, dtype, max(1.0, size))


# Filters of 4 x 4 take kernels of their own for these factors, planes wider than 32 pixels only.
RESAMPLINGS: list[tuple[tuple[int, ...], ...]] = [
    # shape, filter, up, down, padding
    ((1, 8, 11, 70), (4, 4), (1, 1), (1, 1), (1, 1, 1, 1)),
    ((1, 4, 67, 131), (4, 4), (1, 1), (1, 1), (2, -3, -1, 5)),
    ((2, 6, 5, 37), (4, 4), (2, 2), (1, 1), (2, 1, 2, 1)),
    ((1, 12, 9, 33), (4, 4), (2, 2), (1, 1), (1, -2, 3, 2)),
    ((1, 4, 20, 82), (4, 4), (1, 1), (2, 2), (1, 1, 1, 1)),
    ((2, 36, 13, 90), (4, 4), (1, 1), (2, 2), (-3, 4, 0, 1)),
    ((2, 40, 21, 18), (4, 4), (1, 1), (1, 1), (2, 1, 1, 2)),
    ((1, 72, 7, 19), (4, 4), (2, 2), (1, 1), (1, 2, 3, 2)),
    ((2, 24, 23, 35), (4, 4), (1, 1), (2, 2), (1, 1, 2, 3)),
    ((2, 3, 6, 5), (4, 4), (1, 1), (1, 1), (1, 2, 2, 1)),
    ((1, 8, 7, 9), (2, 5), (3, 2), (1, 4), (-2, 4, 5, 3)),
    ((2, 4, 3, 30), (1, 12), (1, 1), (2, 1), (5, 6, 0, 0)),
    ((2, 5, 30, 3), (12, 1), (1, 2), (1, 1), (0, 0, 6, 5)),
]


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("number", range(len(RESAMPLINGS)))
def test_upfirdn2d_follows_the_reference(operators: Any, number: int, channels_last: bool) -> None:
    shape, taps, up, down, padding = RESAMPLINGS[number]
    dice = random.Random(f"{number} {channels_last}")
    for dtype in dice.sample(DTYPES, 2):
        separable, flip = dice.random() < 0.5, dice.random() < 0.5
        f = torch.outer(torch.randn(taps[0]), torch.randn(taps[1]))
        f = f if separable else torch.randn(taps)
        x = laid_out(torch.randn(shape).to(dtype), channels_last)
        got = operators.upfirdn2d(x, f, up, down, padding, flip, -0.7)
        with use("reference"):
            wanted = upfirdn2d(
                x.double(),
                f.double(),
                up=up,  # type: ignore[arg-type]
                down=down,  # type: ignore[arg-type]
                padding=padding,
                flip_filter=flip,
                gain=-0.7,
            )
        assert got.dtype == dtype
        layout = torch.channels_last if channels_last else torch.contiguous_format
        assert got.is_contiguous(memory_format=layout)
        near(got, wanted, dtype, f.abs().sum().item())


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("act", ["lrelu", "relu", "swish"])
def test_the_epilogue_follows_the_filter(operators: Any, act: str, channels_last: bool) -> None:
    f = torch.randn(4, 4)
    for shape, up, dtype in [
        ((2, 8, 6, 36), 1, torch.float32),
        ((2, 4, 5, 19), 2, torch.float16),
        ((2, 40, 9, 11), 2, torch.bfloat16),
        ((2, 40, 18, 19), 1, torch.float16),
        ((1, 3, 5, 35), 1, torch.float64),
    ]:
        x = laid_out(torch.randn(shape).to(dtype), channels_last)
        filtered = operators.upfirdn2d(x.double(), f, [up, up], [1, 1], [2, 2, 2, 2], False, 1.0)
        scale, noise, b = parts(filtered, dtype, noise_samples=shape[0])
        rest = (act, 0.3, 1.5, 0.9)
        got = operators.upfirdn2d_bias_act(
            x, f, [up, up], [1, 1], [2, 2, 2, 2], False, 1.0, scale, noise, b, *rest
        )
        wanted = finished(filtered, scale, noise, b, *rest)
        near(got, wanted, dtype, 3 * f.abs().sum().item())


def parts(x: Tensor, dtype: torch.dtype, noise_samples: int) -> tuple[Tensor, Tensor, Tensor]:
    wide = torch.promote_types(dtype, torch.float32)
    scale, b = torch.rand(x.shape[:2], dtype=wide) + 0.5, torch.randn(x.shape[1], dtype=wide)
    return scale, torch.randn(noise_samples, 1, *x.shape[2:], dtype=wide), b


def finished(
    x: Tensor,
    scale: Tensor | None,
    noise: Tensor | None,
    b: Tensor | None,
    act: str,
    alpha: float,
    gain: float,
    clamp: float,
) -> Tensor:
    x = x if scale is None else x * scale.double()[:, :, None, None]
    x = x if noise is None else x + noise.double()
    bias = None if b is None else b.double()
    with use("reference"):
        return bias_act(x, bias, act=act, alpha=alpha, gain=gain, clamp=clamp)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("act", PIECEWISE + SMOOTH)
def test_bias_act_follows_the_reference(operators: Any, act: str, channels_last: bool) -> None:
    for shape in [(2, 16, 4, 8), (3, 5, 3, 7)]:  # rows of whole vectors, and not
        for dtype in DTYPES:
            x = laid_out(torch.randn(shape).to(dtype), channels_last)
            scale, noise, b = parts(x, dtype, noise_samples=random.choice([1, shape[0]]))
            rest = (act, 0.3, 1.5, 0.9)
            got = operators.bias_act(x, scale, noise, b, *rest)
            near(got, finished(x.double(), scale, noise, b, *rest), dtype, 3)
            bare = operators.bias_act(x, None, None, None, act, 0.3, 1.5, -1.0)
            with use("reference"):
                wanted = bias_act(x.double(), act=act, alpha=0.3, gain=1.5)
            near(bare, wanted, dtype)


def test_bias_act_of_channels_alone(operators: Any) -> None:
    x, b = torch.randn(5, 12), torch.randn(12)
    near(
        operators.bias_act(x, None, None, b, "lrelu", 0.2, 1.0, -1.0),
        torch.nn.functional.leaky_relu(x + b, 0.2).double(),
        torch.float32,
    )


@pytest.mark.parametrize("noise_samples", [1, 2])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("act", PIECEWISE)
@pytest.mark.parametrize("shape", [(2, 16, 12, 16), (2, 5, 3, 37), (2, 300, 2, 2)])
def test_the_gradient_and_its_sums(
    operators: Any, shape: tuple[int, ...], act: str, channels_last: bool, noise_samples: int
) -> None:
    for dtype in random.Random(f"{shape} {act} {noise_samples}").sample(DTYPES, 2):
        x = laid_out(torch.randn(shape).to(dtype), channels_last)
        dy = laid_out(torch.randn(shape).to(dtype), channels_last)
        scale, noise, b = parts(x, dtype, noise_samples)
        rest = (act, 0.3, 1.5, 0.7)
        y = operators.bias_act(x, scale, noise, b, *rest)
        leaves = [t.double().requires_grad_() for t in (x, scale, noise, b)]
        # The reference is given what rounding made of y, lest a kink fall between the two.
        same_side = (y.double().abs() < torch.tensor(0.7).to(dtype).double()).double()
        z = finished(*leaves, act, 0.3, 1.5, 1e9)  # type: ignore[arg-type]
        wanted = torch.autograd.grad(z, leaves, dy.double() * same_side)
        got = operators.bias_act_backward(dy, y, x, scale, *rest, [True] * 4, noise_samples)
        for part, reference in zip(got, wanted, strict=True):
            assert part.shape == reference.shape
            near(part, reference, dtype, 10)
        assert got[0].dtype == dtype
        assert {part.dtype for part in got[1:]} == {scale.dtype}


def test_gradients_that_are_not_wanted_are_empty(operators: Any) -> None:
    y = torch.randn(1, 4, 2, 2)
    for wanted in range(16):
        flags = [bool(wanted >> i & 1) for i in range(4)]
        got = operators.bias_act_backward(y, y, y, None, "lrelu", 0.2, 1.0, -1.0, flags, 1)
        assert [part.numel() > 0 for part in got] == flags


def test_empty_tensors(operators: Any) -> None:
    x, f = torch.zeros(0, 4, 8, 8), torch.ones(4, 4)
    assert operators.upfirdn2d(x, f, [1, 1], [1, 1], [1, 1, 1, 1], False, 1.0).shape == (0, 4, 7, 7)
    assert operators.bias_act(x, None, None, None, "relu", 0.0, 1.0, -1.0).shape == x.shape
    got = operators.bias_act_backward(x, x, x, None, "relu", 0.0, 1.0, -1.0, [True] * 4, 1)
    assert [list(part.shape) for part in got] == [[0, 4, 8, 8], [0, 4], [1, 1, 8, 8], [4]]
    assert not any(part.any() for part in got)


def test_views_that_begin_between_vectors(operators: Any) -> None:
    x, f = torch.randn(8 * 40 * 40 + 1)[1:].reshape(1, 8, 40, 40), torch.randn(4, 4)
    for view in (x, x.reshape(1, 40, 40, 8).permute(0, 3, 1, 2)):
        arguments = (f, [1, 1], [1, 1], [1, 2, 1, 2], False, 1.0)
        copied = operators.upfirdn2d(view.clone(), *arguments)
        assert torch.equal(operators.upfirdn2d(view, *arguments), copied)
        rest = (None, None, None, "lrelu", 0.2, 1.0, -1.0)
        assert torch.equal(operators.bias_act(view, *rest), operators.bias_act(view.clone(), *rest))


@pytest.mark.parametrize("channels_last", [False, True])
def test_products_of_tiny_taps_are_not_lost(operators: Any, channels_last: bool) -> None:
    x = laid_out(torch.randn(1, 8, 9, 40), channels_last)
    f = torch.randn(4, 4)
    arguments = ([1, 1], [1, 1], [1, 2, 1, 2], False)
    wanted = operators.upfirdn2d(x.double(), f.double(), *arguments, 1.0)
    got = operators.upfirdn2d(x, f * 2.0**-80, *arguments, 1.0)
    near(got * 2.0**80, wanted, torch.float32, f.abs().sum().item())


def test_not_a_number_stays_what_it_is(operators: Any) -> None:
    x = torch.full((1, 4, 2, 2), torch.nan)
    for act in PIECEWISE + SMOOTH:
        assert operators.bias_act(x, None, None, None, act, 0.2, 1.0, 0.5).isnan().all()


def test_what_does_not_fit_is_refused(operators: Any) -> None:
    x, f = torch.zeros(1, 4, 8, 8), torch.ones(4, 4)
    with pytest.raises(RuntimeError, match="stay below 2\\^29"):
        operators.upfirdn2d(x, f, [1, 1], [1, 1], [1 << 30, 1, 1, 1], False, 1.0)
    with pytest.raises(RuntimeError, match="b does not fit x"):
        operators.bias_act(x, None, None, torch.zeros(3), "relu", 0.0, 1.0, -1.0)
    with pytest.raises(RuntimeError, match="the slope of tanh cannot be told from its value"):
        operators.bias_act_backward(x, x, None, None, "tanh", 0.0, 1.0, -1.0, [True] * 4, 1)
