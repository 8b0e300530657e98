"""Menus are what the modules of a package declare."""

from pathlib import Path

import pytest

from g2g_base.declared import declared
from g2g_core.data import DATASETS
from g2g_core.models import MODELS


def package(folder: Path, name: str, **modules: str) -> Path:
    """A package of these modules, whose folder is on the path."""
    place = folder / name
    place.mkdir()
    for module, text in {"__init__": "", **modules}.items():
        (place / f"{module}.py").write_text(text)
    return place


def test_a_new_entry_is_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    files = {"later": "THINGS = {'b': 2, 'a': 1}", "first": "THINGS = {'c': 3}", "none": "X = 1"}
    place = package(tmp_path, "declared_pack", menu="raise ImportError('itself')", **files)
    assert list(declared("declared_pack", place, "THINGS")) == [("c", 3), ("b", 2), ("a", 1)]


def test_an_entry_is_declared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    place = package(tmp_path, "doubled_pack", one="THINGS = {'a': 1}", two="THINGS = {'a': 2}")
    with pytest.raises(ValueError, match="doubled_pack: one and two both declare a"):
        list(declared("doubled_pack", place, "THINGS"))


def test_our_models_and_datasets_are_found() -> None:
    assert set(MODELS) == {"funit2funit", "funit", "cyclefunit", "naive"}
    names = {"synthetic", "synthetic_accessory", "image_folder", "list_files", "celeba"}
    assert set(DATASETS) == names
