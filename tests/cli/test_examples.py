"""`regen examples`: what it prints and refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from regen.cli import main


def test_it_lists_what_it_copied_with_the_generators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["examples"])
    assert result.exit_code == 0
    assert f"{Path('examples', 'faces_cat_eyes.json')}  (london-faces)" in result.output
    assert (tmp_path / "examples" / "cat_eyes.png").exists()


def test_a_file_of_the_users_is_told_and_kept(tmp_path: Path) -> None:
    (tmp_path / "eyes.json").write_text("mine")
    result = CliRunner().invoke(main, ["examples", "-o", str(tmp_path)])
    assert result.exit_code == 2 and "eyes.json is there already" in result.output
    assert (tmp_path / "eyes.json").read_text() == "mine"


def test_it_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom regen.cli import main\n"
        f"main(['examples', '-o', {str(tmp_path)!r}], standalone_mode=False)\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
