"""`regen.runs.train_projector`: what `tests/cli/test_train_projector.py` does not see."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from regen.runs.train_projector import default_value_layer


@pytest.mark.parametrize(("resolution", "layer"), [(1024, 10), (256, 10), (128, 8), (8, 1)])
def test_the_default_value_layer(resolution: int, layer: int) -> None:
    class Sized:
        usual_settings: Mapping[str, object] = {}
        convolutions = 2 * (resolution.bit_length() - 1) - 3

    assert default_value_layer(Sized()) == layer  # type: ignore[arg-type]
