"""LPIPS of the smallest backbone: the package's numbers, without what the package imports."""

from __future__ import annotations

import warnings
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
import torch

from regen.errors import MetricError
from regen.metrics import load_lpips
from regen.metrics.backbone_weights import backbone_weights
from tests.helpers.processes import imported_by
from tests.tolerances import assert_near


def images(side: int) -> torch.Tensor:
    return torch.rand(2, 3, side, side) * 2 - 1


def test_its_layers_and_gradients_are_the_packages() -> None:
    import lpips

    ours = load_lpips()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lpips.LPIPS(net="squeeze", pnet_rand=True, verbose=False)
    names = {name.split(".", 1)[1]: name for name in theirs.net.state_dict()}
    weights = backbone_weights("squeeze")
    theirs.net.load_state_dict({names[name]: weights[f"features.{name}"] for name in names})
    a, b = images(65).requires_grad_(), images(65)  # an odd side: pools round up
    for got, wanted in zip(ours.layers(b), theirs.net(theirs.scaling_layer(b)), strict=True):
        assert_near(got, wanted, size=100)  # outputs reach 50
    (got,) = torch.autograd.grad(ours.network(a, b).sum(), a)
    (wanted,) = torch.autograd.grad(theirs(a, b).sum(), a)
    torch.testing.assert_close(got, wanted)


def test_the_smallest_backbone_needs_neither_torchvision_nor_torch_s_compiler() -> None:
    """Both take as long to import as torch itself, in every command that measures something."""
    code = (
        "import torch; from regen.metrics import load_lpips\n"
        "images = torch.zeros(2, 1, 3, 32, 32); load_lpips()(*images)"
    )
    assert imported_by(code, ("lpips", "torchvision", "torch._dynamo", "scipy")) == set()


def test_linear_weights_that_cannot_be_read_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "weights" / "v0.1" / "squeeze.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not a file of torch")
    found = ModuleSpec("lpips", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr("regen.metrics.squeeze_lpips.find_spec", lambda _: found)
    with pytest.raises(MetricError, match=r"squeeze\.pth: damaged .*reinstall lpips"):
        load_lpips()
