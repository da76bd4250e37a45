"""Build a generator around existing tensors: nothing is random, little is copied.

Making a network and then filling it would take millions of random numbers first, and moving it from
the meta device with ``to_empty`` imports a compiler; both take longer than reading the file.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.files import tensor_file
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2


def assemble(
    config: StyleGAN2Config, tensors: Mapping[str, Tensor], where: str, *, copy: bool = False
) -> StyleGAN2:
    """A generator that owns these tensors.

    Args:
        config: The architecture.
        tensors: All of its state by name. Those with the memory layout of regen's modules are used
            as they are, not copied.
        where: Prefix of error messages, the file for instance.
        copy: Copy them all, because they belong to a file that may change.

    Returns:
        The generator in eval mode, float32, requiring no gradients.

    Raises:
        StoreError: If names or shapes differ from those of the architecture.
        GeneratorError: If a weight is not finite, as every image would be.
    """
    with torch.device("meta"):  # shapes only
        generator = StyleGAN2(config)
    wanted = generator.state_dict()
    fitting = tensor_file.check_tensors(tensors, wanted, where)
    _check_finite(fitting, where)
    laid_out = {name: _laid_out(fitting.pop(name), like, copy) for name, like in wanted.items()}
    generator.load_state_dict(laid_out, assign=True)
    return generator.eval().requires_grad_(False)


def _check_finite(tensors: Mapping[str, Tensor], where: str) -> None:
    with np.errstate(over="ignore", invalid="ignore"):  # a sum is quick, and finite if all is
        suspects = [name for name, t in tensors.items() if not np.isfinite(t.numpy().sum())]
    odd = [name for name in suspects if not torch.isfinite(tensors[name]).all()]
    if odd:
        more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
        raise GeneratorError(
            f"{where}: weights",
            got=f"NaN or infinity in {', '.join(odd[:3])}{more}",
            expected="finite numbers",
            remedy="its training diverged or the file is damaged: take an earlier one",
        )


def _laid_out(tensor: Tensor, like: Tensor, copy: bool) -> Tensor:
    """With the memory layout of `like`, so that equal weights are convolved in equal order."""
    tensor = tensor.detach()
    if tensor.stride() == like.stride() and not copy:
        return tensor
    laid_out = torch.empty_strided(like.shape, like.stride())
    # By numpy, since torch would wake all threads for a millisecond's work: slow on a busy machine.
    np.copyto(laid_out.numpy(), tensor.numpy())
    return laid_out
