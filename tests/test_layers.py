"""Dependencies point one way: every import between the packages, and of heavy libraries, is on the
list."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = ("g2g_base", "g2g_core", "ablate", "reports")
FORBIDDEN = {
    "g2g_base": {"g2g_core", "ablate", "reports", "torch", "ray", "mlflow", "typer", "numpy"},
    "g2g_core": {"ablate", "reports", "ray", "mlflow", "typer", "pandas", "yaml", "rich"},
    "reports": {"g2g_core", "ablate", "torch", "torchvision", "ray", "mlflow", "typer"},
    "ablate": set(),
}
ONLY_IN = {"ray": "running/ray_", "mlflow": "tracking/"}
"""Library -> start of the paths in `ablate` that alone may import it."""


def imported(path: Path) -> set[str]:
    """Top-level names of every absolute import in a file, also those inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


FILES = [path for package in OURS for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    names = imported(path)
    assert not names & FORBIDDEN[package]
    for library, place in ONLY_IN.items():
        if library in names:
            assert package == "ablate"
            assert path.relative_to(ROOT / package).as_posix().startswith(place), (
                f"only {place}... imports {library}"
            )


LIGHT = {
    "ablate.cli": "torch ray mlflow pandas scipy.stats matplotlib",
    # `plan`, `status`, and the command that waits for the trials
    "ablate.planning.plan, ablate.results.status, ablate.running.study": (
        "torch ray mlflow pandas scipy.stats matplotlib"
    ),
    # These two live as long as the study, beside the trials
    "ablate.running.ray_tune": "torch mlflow scipy.stats matplotlib",
    "ablate.tracking.forwarder": "torch ray scipy.stats matplotlib",
}
"""Modules of commands and processes -> heavy packages that they do without at their start."""


@pytest.mark.parametrize("modules", LIGHT)
def test_heavy_packages_are_imported_only_by_what_uses_them(modules: str) -> None:
    code = f"import {modules}, sys; print(sorted(set(sys.modules) & set({LIGHT[modules].split()})))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "module", ["ablate.running.ray_tune", "ablate.running.study", "ablate.tracking.forwarder"]
)
def test_what_lives_as_long_as_the_study_does_without_networks_and_pages(module: str) -> None:
    """These processes run beside the trials: torch would take 500 MB, and a report's libraries
    make each of them, and every worker, start seconds later."""
    heavy = ("torch", "scipy.stats", "jinja2", "reports.build")
    code = f"import {module}, sys; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert out.stdout.strip() == "[]"


ROOMS = {
    "documents": set(),
    "stats": set(),
    "claims": {"documents", "stats"},
    "analysis": {"claims", "documents", "stats", "table"},
}
"""Room of `reports` -> what it may import of `reports` besides itself."""


@pytest.mark.parametrize("room", ROOMS)
def test_statistics_know_no_words_and_no_pages(room: str) -> None:
    for path in sorted((ROOT / "reports" / room).rglob("*.py")):
        modules = [
            node.module.split(".")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
            and node.module
            and node.module.startswith("reports")
        ]
        assert {parts[1] for parts in modules} <= ROOMS[room] | {room}, path


def test_one_file_knows_the_names_of_files() -> None:
    """Every path in a study's folder is asked from `ablate.disk.folder`."""
    owner = ROOT / "ablate" / "disk" / "folder.py"
    names = re.findall(
        r'"([\w.]+\.(?:json|csv|parquet|yaml|txt|log|html)|stop|\.lock|trials)"', owner.read_text()
    )
    assert len(names) > 15
    for path in sorted((ROOT / "ablate").rglob("*.py")):
        joined = re.findall(r'/ f?"([^"]+)"', path.read_text(encoding="utf-8"))
        assert path == owner or not set(joined) & set(names) - {"index.html"}, path


# --- rooms: the folders of a package, from the lowest to the highest ---

RANKS = {
    "g2g_base": ["lazy", "declared", "plugins", "atomic", "locks", "spreadsheet"],
    "ablate": [
        *("study", "disk", "processes", "reading", "trainers", "trial", "planning"),
        *("results", "tracking", "judging", "live", "running", "commands", "cli"),
    ],
    "g2g_core": [
        *("record", "config", "hashing", "seeding", "transfer", "data", "features", "passes"),
        *("models", "losses", "metrics", "checkpoints", "training", "systems", "translation"),
    ],
    "reports": [
        *("documents", "stats", "page", "table", "charts", "claims", "analysis", "view"),
        *("words", "sections", "render", "comparison", "figures", "build"),
    ],
}
"""Package -> its rooms; a room imports those before it and itself."""


def imported_rooms(path: Path, package: str) -> set[str]:
    """Rooms of a package that a file imports when it runs, also inside functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    parts = (name.split(".") for name in names)
    return {part[1] for part in parts if part[0] == package and len(part) > 1}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_import_only_lower_ones(path: Path) -> None:
    package, room = path.relative_to(ROOT).with_suffix("").parts[:2]
    if room == "__init__":  # the public names of a package are from everywhere
        return
    rank = RANKS[package].index(room)
    known = imported_rooms(path, package) & set(RANKS[package])
    assert known <= set(RANKS[package][: rank + 1])


def test_ablate_asks_the_core_behind_one_door() -> None:
    """Beside the core's own trainer, only plain records and digests of files are shared."""
    shared = {"record", "hashing"}
    for path in sorted((ROOT / "ablate").rglob("*.py")):
        place = path.relative_to(ROOT / "ablate").as_posix()
        if not place.startswith(("trainers/core/", "commands/")):
            assert imported_rooms(path, "g2g_core") <= shared, path


def test_the_page_on_the_layout_names_the_rooms() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for package, rooms in RANKS.items():
        assert f"| `{package}` | {', '.join(rooms)} |" in page
    for file in re.findall(r"`((?:ablate|reports|g2g_core)/[\w/]+)`", page):
        assert (ROOT / file).exists(), file
