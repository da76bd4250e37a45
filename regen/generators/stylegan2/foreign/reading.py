"""Files of other tools that hold a StyleGAN2, told apart by their content and never by their name.

    nvidia       pickles of NVIDIA's torch code
    tensorflow   pickles of NVIDIA's TensorFlow code; they are only read
    rosinality   checkpoints of rosinality's stylegan2-pytorch

Pickles are programs. What is read here is a value that `regen.unpickling` made, which runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from regen.generators.family import Checkpoint
from regen.generators.stylegan2.foreign.nvidia import is_nvidia, read_nvidia
from regen.generators.stylegan2.foreign.rosinality import is_rosinality, read_rosinality
from regen.generators.stylegan2.foreign.tensorflow import is_tensorflow, read_tensorflow

_Reader = Callable[[object, str, str], Checkpoint]
_READERS: tuple[tuple[Callable[[object], bool], _Reader], ...] = (
    (is_nvidia, read_nvidia),
    (is_tensorflow, read_tensorflow),
    (is_rosinality, read_rosinality),
)


def read_foreign(value: object, which: str, where: str) -> Checkpoint | None:
    """The generator in an unpickled value, None where the value is of no such tool.

    Args:
        value: As `regen.unpickling` read it.
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
