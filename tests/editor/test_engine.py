"""What is computed for a session, with the bundled generator."""

from __future__ import annotations

from regen.editor.engine import Engine


def test_what_a_page_says_of_the_generator(engine: Engine) -> None:
    described = engine.described()
    assert (described["name"], described["height"], described["family"]) == (
        "portraits",
        128,
        "stylegan2",
    )
    assert "eyes" in described["regions"]
    assert (".safetensors", "regen") in [tuple(one) for one in described["formats"]]
