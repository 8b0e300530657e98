"""What the distributions contain, and that names, versions, and bounds agree between files."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("ablate", "g2g_base", "g2g_core", "reports", "studies")
FOLDERS = (*PACKAGES, "benchmarks", "constraints", "docs", "tests")
NOT_OURS = shutil.ignore_patterns("__pycache__", "*.py[cod]", ".*")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def built(kind: str, folders: tuple[str, ...], to: Path) -> tuple[Path, set[str]]:
    """Build a distribution from a copy; return it and the files that lie in the copy's folders."""
    source = to / "source"
    source.mkdir()
    for name in folders:
        shutil.copytree(ROOT / name, source / name, ignore=NOT_OURS)
    for path in ROOT.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copy(path, source)
    files = {
        path.relative_to(source).as_posix()
        for name in folders
        for path in (source / name).rglob("*")
        if path.is_file()
    }
    code = f"import sys; from setuptools import build_meta as b; b.build_{kind}(sys.argv[1])"
    command = [sys.executable, "-c", code, str(to)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (made,) = (path for path in to.iterdir() if path.is_file())
    return made, files


def test_the_wheel_has_every_file_of_the_packages_and_stays_small(tmp_path: Path) -> None:
    wheel, files = built("wheel", PACKAGES, tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        inside = [entry for entry in archive.infolist() if ".dist-info/" not in entry.filename]
    assert {entry.filename for entry in inside} == files
    checkpoints = sum(e.compress_size for e in inside if e.filename.endswith(".pt"))
    assert wheel.stat().st_size <= 12_000_000
    assert wheel.stat().st_size - checkpoints < 6_000_000


@pytest.mark.slow
def test_the_source_distribution_has_what_its_tests_read(tmp_path: Path) -> None:
    sdist, files = built("sdist", FOLDERS, tmp_path)
    with tarfile.open(sdist) as archive:
        inside = {entry.name.partition("/")[2] for entry in archive if entry.isfile()}
    top = {"Makefile", "CHANGELOG.md", "LICENSE", "README.md", "THIRD_PARTY_NOTICES"}
    assert files | top <= inside


def test_every_package_is_typed() -> None:
    for name in PACKAGES[:-1]:
        assert (ROOT / name / "py.typed").is_file()


def test_the_lowest_constraints_are_the_lower_bounds() -> None:
    asked = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
    bounds = {
        requirement.name: Version(part.version)
        for requirement in map(Requirement, asked)
        for part in requirement.specifier
        if part.operator == ">="
    }
    lines = (ROOT / "constraints" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert {name: Version(version) for name, version in pins} == bounds


def test_all_files_name_one_version() -> None:
    version = PROJECT["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert citation["version"] == version
    assert newest is not None
    assert newest[1] == version
