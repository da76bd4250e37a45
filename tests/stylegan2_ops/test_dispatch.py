from __future__ import annotations

import pytest

from stylegan2_ops import Implementation, implementation


@pytest.mark.parametrize("requested", ["auto", "reference"])
def test_the_reference_runs_and_says_why(requested: str) -> None:
    found = implementation(requested)
    assert isinstance(found, Implementation)
    assert found.name == "reference"
    assert "plain torch" in found.reason


def test_without_a_request_the_choice_is_automatic() -> None:
    assert implementation() == implementation("auto")


def test_an_implementation_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'auto' or 'reference', got 'cuda'"):
        implementation("cuda")
