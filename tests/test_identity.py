"""Trials are new when code that they use is edited, and only then; `plan` names the file.

The packages are copied, edited, and planned with as a user would.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("identity")]

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("g2g_core", "ablate", "reports", "studies")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def planned(
    copy: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., dict[str, dict[str, str]]]:
    """Plans the embedded study after edits, which are undone, and returns the digests of its code
    and the ids of its trials."""
    out = tmp_path_factory.mktemp("out")

    def plan(*edits: tuple[str, str, str]) -> dict[str, dict[str, str]]:
        before = {module: (copy / module).read_text() for module, _, _ in edits}
        for module, old, new in edits:
            text = (copy / module).read_text()
            assert old in text
            (copy / module).write_text(text.replace(old, new, 1))
        code = "from ablate.cli import main; main()"
        try:
            done = subprocess.run(
                [sys.executable, "-c", code, "plan", "quickstart", "--json", "--out", str(out)],
                env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                text=True,
                check=True,
                cwd=copy,
            )
        finally:
            for module, text in before.items():
                (copy / module).write_text(text)
        document = json.loads(done.stdout)
        ids = {str(number): trial["trial_id"] for number, trial in enumerate(document["trials"])}
        return {"sources": document["sources"], "ids": ids}

    return plan


@pytest.fixture(scope="module")
def unedited(planned: Callable[..., dict[str, dict[str, str]]]) -> dict[str, dict[str, str]]:
    return planned()


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("g2g_core/losses/funit.py", "relu(1 + fake)", "relu(2 + fake)"),
        ("g2g_core/training/loop.py", "timed += 1", "timed += 2"),
    ],
)
def test_an_edit_of_code_in_use_makes_new_trials(
    planned: Callable[..., dict[str, dict[str, str]]],
    unedited: dict[str, dict[str, str]],
    module: str,
    old: str,
    new: str,
) -> None:
    after = planned((module, old, new))
    edited = {module.removesuffix(".py").replace("/", ".")}
    assert changed(unedited["sources"], after["sources"]) == edited
    assert len(changed(unedited["ids"], after["ids"])) > 0


def test_other_edits_change_nothing(
    planned: Callable[..., dict[str, dict[str, str]]], unedited: dict[str, dict[str, str]]
) -> None:
    """All at once: each of them alone would be seen in the digests, and in the ids."""
    after = planned(
        ("g2g_core/losses/cycle.py", "swap(cross.mixed_content)", "cross.mixed_content"),
        ("g2g_core/models/naive.py", "\nfrom ", "\nimport cmath\nfrom "),
        ("g2g_core/losses/menu.py", "LOSSES: dict", "NOTHING = 0\nLOSSES: dict"),
        ("g2g_core/losses/funit.py", "def _hinge", "# Of two.\n\n\ndef _hinge"),
        ("reports/stats/paired.py", "\nimport", "\nimport cmath\nimport"),
        ("ablate/planning/plan.py", "\nfrom ", "\nimport math\nfrom "),
    )
    assert after == unedited
