"""The page on systems and losses names what there is, and its commands run."""

import ast
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from g2g_core.checkpoints.checkpoint import read
from g2g_core.losses.menu import LOSSES
from g2g_core.models import MODELS

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
]


def test_every_model_and_loss_and_equation_is_on_the_page() -> None:
    named = set(re.findall(r"`([a-z_0-9]+)`", PAGE))
    assert set(MODELS) <= named
    assert set(LOSSES) <= named
    table = PAGE.partition("## Losses by equation")[2].partition("## Alternative explanations")[0]
    assert re.findall(r"^\| eq\. (\d+) \|", table, re.MULTILINE) == [
        str(number) for number in range(1, 13)
    ]


def test_every_equation_is_in_exactly_one_docstring() -> None:
    """A reader who searches the code for an equation finds one place."""
    cited: Counter[int] = Counter()
    for path in (ROOT / "g2g_core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                groups = re.findall(r"\beqs?\. ([\d, ]+)", ast.get_docstring(node) or "")
                cited.update({int(n) for group in groups for n in re.findall(r"\d+", group)})
    assert cited == dict.fromkeys(range(1, 13), 1)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_run(
    line: str, tmp_path: Path, called: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    shutil.copy(ROOT / "studies" / "checkpoints" / "synthetic32.pt", tmp_path / "checkpoint.pt")
    done = called(*line.split()[1:], where=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_exported_networks_load_back_equal(tmp_path: Path) -> None:
    import torch

    from ablate.commands.networks import export

    path = ROOT / "studies" / "checkpoints" / "synthetic32.pt"
    export(path, tmp_path, "gen_00002000.pt")
    before, after = read(path), read(tmp_path / "gen_00002000.pt")
    for part in ("generator", "average", "discriminator"):
        assert set(before.parts[part]) == set(after.parts[part])
        assert all(
            torch.equal(value, after.parts[part][name])
            for name, value in before.parts[part].items()
        )
    assert after.facts == {"source_step": 2000}
