"""What the code alone decides is asked once."""

import subprocess
import sys
from pathlib import Path

import pytest

from ablate.disk.remembered import remembered
from ablate.trainers.core.menus import _read_menus, science_menus
from g2g_core.hashing import cache_folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("G2G_CACHE", str(tmp_path / "cache"))


def test_an_answer_is_asked_for_once_a_question() -> None:
    asked: list[str] = []

    def answer() -> list[int]:
        asked.append("x")
        return [1, 2]

    assert remembered("one", answer) == remembered("one", answer) == [1, 2]
    assert len(asked) == 1
    assert remembered("another", answer) == [1, 2]
    assert len(asked) == 2


def test_a_damaged_or_missing_cache_only_costs_time(monkeypatch: pytest.MonkeyPatch) -> None:
    remembered("one", lambda: 1)
    (store,) = (cache_folder() / "remembered").iterdir()
    store.write_text("{half")
    assert remembered("one", lambda: 2) == 2
    monkeypatch.setenv("G2G_CACHE", "/proc/nowhere")
    assert remembered("one", lambda: 3) == 3


def test_remembered_menus_are_those_of_the_code() -> None:
    asked = _read_menus()
    for _ in range(2):
        found = science_menus()
        assert found.config == asked.config
        assert dict(found.losses) == dict(asked.losses)
        assert dict(found.models) == dict(asked.models)
        assert found.parts == asked.parts


def test_the_second_plan_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from ablate.planning.plan import plan; from ablate.planning.load import "
        "load_study; "
        "print(plan(load_study('quickstart')).hash, 'torch' in sys.modules)"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    )
    assert first[0] == second[0]
    assert (first[1], second[1]) == ("True", "False")
