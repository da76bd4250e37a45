"""Files of other tools that hold a StyleGAN2, told apart by their content and never by their name.

    nvidia       pickles of NVIDIA's torch code, and state dicts with its names
    tensorflow   pickles of NVIDIA's TensorFlow code; they are only read
    rosinality   checkpoints of rosinality's stylegan2-pytorch, and state dicts with its names

Pickles are programs. What is read here is a value that `regen.unpickling` made, which runs nothing,
or the tensors of a safetensors file by name.
"""

from __future__ import annotations

from collections.abc import Callable

from regen.generators.family import Checkpoint
from regen.generators.stylegan2.foreign.discriminator_alone import (
    is_discriminator_alone,
    refuse_discriminator_alone,
)
from regen.generators.stylegan2.foreign.nvidia import (
    is_nvidia,
    is_nvidia_state,
    read_nvidia,
    read_nvidia_state,
)
from regen.generators.stylegan2.foreign.rosinality import is_rosinality, read_rosinality
from regen.generators.stylegan2.foreign.tensorflow import is_tensorflow, read_tensorflow

_Reader = Callable[[object, str, str], Checkpoint]
_READERS: tuple[tuple[Callable[[object], bool], _Reader], ...] = (
    (is_nvidia, read_nvidia),
    (is_tensorflow, read_tensorflow),
    (is_rosinality, read_rosinality),
    (is_nvidia_state, read_nvidia_state),
    (is_discriminator_alone, refuse_discriminator_alone),
)


def read_foreign(value: object, which: str, where: str) -> Checkpoint | None:
    """The generator in an unpickled value, None where the value is of no such tool.

    Args:
        value: As `regen.unpickling` read it, or tensors by name.
        which: "G_ema", the average over training that all tools use, or "G".
        where: Begins the message of an error.

    Raises:
        GeneratorError: If there is no such generator, or it cannot be one of ours.
        StoreError: If shapes contradict each other.
    """
    for fits, read in _READERS:
        if fits(value):
            return read(value, which, where)
    return None
