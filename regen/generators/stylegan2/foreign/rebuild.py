"""What the readers share: tensors under foreign names in, a generator of ours out.

A reader finds names and tensors in a file; `collect` gives them our names and layout and checks
them on the way, so nothing that follows meets a tensor of the wrong rank; `rebuild` fills what a
file may lack and says what it filled.

Letters: r resolution; Z, W dimensions of z and w.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from regen.errors import GeneratorError, RegenError
from regen.files.budget import LARGEST_MADE_UP_BYTES, MOST_MADE_UP_NUMBERS
from regen.generators.stylegan2.assemble import assemble
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.discriminator import Discriminator
from regen.generators.stylegan2.foreign.architecture import Unshaped, infer_config
from regen.generators.stylegan2.foreign.modules import FLOATS
from regen.generators.stylegan2.foreign.naming import Kind, Row
from regen.generators.stylegan2.generator import StyleGAN2
from stylegan2_ops import filter_from_taps

_RANKS: dict[Kind, int] = {
    "plain": 1,
    "dense": 2,
    "style_bias": 1,
    "convolution": 4,
    "enlarging_convolution": 4,
    "constant": 3,
    "noise": 2,
    "noise_strength": 0,
    "rgb_bias": 1,
}
_MAY_LACK = ("noise", "noise_strength")
_MEAN_OF = 10_000  # samples of w
_SEED = 0  # of what a file lacks
_MEAN = "mapping.w_mean"

Layout = Callable[[Kind, Tensor], Tensor]


def readable(read: Callable[[], Discriminator]) -> tuple[Discriminator | None, str | None]:
    """What `read` gives, or why it cannot: a generator is not refused for its discriminator."""
    try:
        return read(), None
    except RegenError as error:
        return None, str(error)


@dataclass
class Collected:
    """Tensors by our names and in our layout, and which of those that may be absent are."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)


def missing_network(where: str, which: str, there: Sequence[str]) -> GeneratorError:
    """The error of a file that holds networks, but not the one that was asked for."""
    remedy = f"regen convert --which {there[0]} FILE out.safetensors" if there else None
    return GeneratorError(
        f"{where}: network", got=which, expected=" or ".join(there), remedy=remedy
    )


def only_a_discriminator(where: str) -> GeneratorError:
    """The error of a file that holds a discriminator, and no generator beside it."""
    return GeneratorError(
        f"{where} holds a discriminator alone",
        expected="a generator, which makes the images",
        remedy="take the file that its generator was saved to",
    )


def collect(
    rows: Iterable[Row],
    found: Mapping[str, object],
    name_of: Callable[[Row], str | None],
    where: str,
    *,
    layout: Layout = lambda _, tensor: tensor,
    extra_rank: Mapping[Kind, int] | None = None,
) -> Collected:
    """Take the tensors that the rows name.

    Args:
        rows: Of `naming`.
        found: What the file holds, by its own names.
        name_of: The file's name of a row.
        where: Begins the message of an error.
        layout: Turns a tensor of the file into one of ours.
        extra_rank: Dimensions of size 1 that the file's layout has beyond ours, by kind.

    Raises:
        GeneratorError: If a tensor is missing, is not a tensor, or has the wrong dimensions.
    """
    result = Collected()
    missing: list[str] = []
    for row in rows:
        name = name_of(row)
        tensor = found.get(name) if name is not None else None
        if tensor is None:
            if _may_lack(row):
                result.absent.add(row.ours)
            else:
                missing.append(row.ours)
            continue
        rank = _RANKS[row.kind] + (extra_rank or {}).get(row.kind, 0)
        if not isinstance(tensor, Tensor) or tensor.dtype not in FLOATS or tensor.ndim != rank:
            raise GeneratorError(
                f"{where}: {name}", got=_what(tensor), expected=f"floats of {rank} dimensions"
            )
        ours = layout(row.kind, tensor.detach()) if tensor.numel() else None
        if ours is None or ours.numel() != tensor.numel():
            raise GeneratorError(f"{where}: {name}", got=list(tensor.shape))
        result.tensors[row.ours] = ours
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise GeneratorError(
            f"{where} lacks {', '.join(missing[:3])}{more} (by regen's names)",
            remedy="it is not a whole StyleGAN2 generator",
        )
    return result


def _what(value: object) -> str:
    if not isinstance(value, Tensor):
        return type(value).__name__
    kind = "" if value.dtype in FLOATS else f"{value.dtype} ".removeprefix("torch.")
    return f"{kind}{list(value.shape)}"


def rebuild(collected: Collected, unshaped: Unshaped, where: str) -> tuple[StyleGAN2, list[str]]:
    """A generator of collected tensors, and what its user must know of it.

    Noise that the network does not have gets strength 0, noise maps that a file does not hold are
    random, and a mean of w that it does not hold is that of 10,000 samples; all from a fixed seed.

    Raises:
        GeneratorError: If the network cannot be one of ours.
        StoreError: If shapes contradict each other.
    """
    tensors, absent = collected.tensors, collected.absent
    config = infer_config(tensors, unshaped, where)
    notes = _fill_noise(tensors, absent, where)
    if _MEAN in absent:
        tensors[_MEAN] = torch.zeros(config.w_dim)
    _fill_filters(tensors, config)
    generator = assemble(config, tensors, where)
    if _MEAN in absent:
        samples = _samples(config)
        generator.mapping.w_mean.copy_(mean_style(generator, samples))
        notes.append(f"the file has no mean of w: computed from {samples:,} samples")
    return generator, notes


def _fill_filters(tensors: dict[str, Tensor], config: StyleGAN2Config) -> None:
    """The resampling filters, which the architecture determines."""
    kernel = filter_from_taps(config.resample_taps)
    for i in range(1, config.convolutions + 1):
        tensors[f"synthesis.convs.{i}.resample_filter"] = kernel.clone()
    image = filter_from_taps(config.rgb_resample_taps or config.resample_taps)
    tensors["synthesis.resample_filter"] = image


def _samples(config: StyleGAN2Config) -> int:
    """How many samples of w are computed: fewer where z, w or the classes are very wide."""
    widest = max(config.z_dim, config.w_dim, config.label_dim)
    return min(_MEAN_OF, MOST_MADE_UP_NUMBERS // widest)


@torch.no_grad()
def mean_style(generator: StyleGAN2, samples: int = _MEAN_OF) -> Tensor:
    """Mean w ``[W]`` over random z of a fixed seed, and over all classes where there are some."""
    config = generator.config
    random = torch.Generator().manual_seed(_SEED)
    z = torch.randn(samples, config.z_dim, generator=random).to(generator.device)
    label = None
    if config.label_dim:
        classes = torch.arange(samples, device=z.device) % config.label_dim
        label = torch.nn.functional.one_hot(classes, config.label_dim)
    w: Tensor = generator.mapping(z, label)
    return w.double().mean(0).float()


def _may_lack(row: Row) -> bool:
    return row.kind in _MAY_LACK or row.ours == _MEAN


def _side(name: str) -> int:
    """Of the noise map with this name."""
    return StyleGAN2Config.resolution_of(int(name.split(".")[2]))


def _fill_noise(tensors: dict[str, Tensor], absent: set[str], where: str) -> list[str]:
    """Fill in noise that is absent. Gives notes."""
    sides = [_side(name) for name in absent if name.endswith("noise_const")]
    if sum(side**2 for side in sides) * 4 > LARGEST_MADE_UP_BYTES:
        raise GeneratorError(
            f"{where}: noise maps of a resolution of {max(sides)}",
            got="none",
            expected="those that were trained with, at this resolution",
        )
    random = torch.Generator().manual_seed(_SEED)
    made = False
    for name in sorted(absent):
        layer, _, part = name.removeprefix("synthesis.convs.").partition(".")
        if part == "noise_const":
            silent = f"synthesis.convs.{layer}.noise_strength" in absent
            side = _side(name)
            made = made or not silent
            zeros = torch.zeros(side, side)
            tensors[name] = zeros if silent else zeros.normal_(generator=random)
        elif part == "noise_strength":
            tensors[name] = torch.zeros([])
    return ["the file has no noise maps: made from a fixed seed"] if made else []
