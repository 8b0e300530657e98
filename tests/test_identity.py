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

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("g2g_core", "ablate", "reports", "studies")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def planned(copy: Path, tmp_path: Path) -> Callable[[], dict[str, object]]:
    def plan() -> dict[str, object]:
        code = "from ablate.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, "plan", "quickstart", "--json", "--out", str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=True,
            cwd=copy,
        )
        found: dict[str, object] = json.loads(done.stdout)
        return found

    return plan


@pytest.mark.parametrize(
    ("module", "old", "new", "counts"),
    [
        ("g2g_core/losses/funit.py", "relu(1 + fake)", "relu(2 + fake)", True),
        ("g2g_core/training/loop.py", "timed += 1", "timed += 2", True),
        ("g2g_core/losses/cycle.py", "swap(cross.mixed_content)", "cross.mixed_content", False),
        ("g2g_core/models/naive.py", "\nfrom ", "\nimport cmath\nfrom ", False),
        ("g2g_core/losses/menu.py", "LOSSES: dict", "NOTHING = 0\nLOSSES: dict", False),
        ("g2g_core/losses/funit.py", "def _hinge", "# Of two.\n\n\ndef _hinge", False),
        ("reports/stats/paired.py", "\nimport", "\nimport cmath\nimport", False),
        ("ablate/planning/plan.py", "\nfrom ", "\nimport math\nfrom ", False),
    ],
)
def test_only_code_in_use_counts(
    copy: Path,
    planned: Callable[[], dict[str, object]],
    module: str,
    old: str,
    new: str,
    counts: bool,
) -> None:
    before = planned()
    file = copy / module
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    try:
        after = planned()
    finally:
        file.write_text(text)
    changed = {name for name, code in after["sources"].items() if before["sources"][name] != code}
    assert changed == ({module.removesuffix(".py").replace("/", ".")} if counts else set())
    ids = [[trial["trial_id"] for trial in plan["trials"]] for plan in (before, after)]
    assert (ids[0] != ids[1]) is counts
