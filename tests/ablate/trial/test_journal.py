"""The journal survives torn lines, odd numbers and resumed attempts."""

import math
from pathlib import Path

import pytest

from ablate.trial.journal import Journal, effective, read, tail


def write(folder: Path, attempt: int, steps: range, resumed_at: int | None = None) -> None:
    journal = Journal(folder, attempt)
    journal.write(resumed_at or 0, "note", {}, {"resumed_at": resumed_at})
    for step in steps:
        journal.write(step, "train", {"loss/a": step + attempt / 10}, {})
    journal.close()


def test_numbers_come_back_as_they_were(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1)
    journal.write(3, "train", {"a": 0.1 + 0.2, "b": math.inf, "c": -math.inf, "d": math.nan}, {})
    journal.close()
    (line,) = read(tmp_path)
    assert (line.attempt, line.step, line.kind) == (1, 3, "train")
    assert line.values["a"] == 0.1 + 0.2
    assert (line.values["b"], line.values["c"]) == (math.inf, -math.inf)
    assert math.isnan(line.values["d"])
    assert "Infinity" not in (tmp_path / "history.jsonl").read_text()


def test_resumed_attempt_replaces_what_it_repeats(tmp_path: Path) -> None:
    write(tmp_path, 1, range(1, 8))
    write(tmp_path, 2, range(6, 11), resumed_at=5)
    lines = [line for line in effective(read(tmp_path)) if line.kind == "train"]
    assert [line.step for line in lines] == list(range(1, 11))
    assert [line.attempt for line in lines] == [1] * 5 + [2] * 5


def test_attempt_from_the_start_replaces_everything(tmp_path: Path) -> None:
    write(tmp_path, 1, range(1, 8))
    write(tmp_path, 2, range(1, 3))
    lines = [line for line in effective(read(tmp_path)) if line.kind == "train"]
    assert [(line.step, line.attempt) for line in lines] == [(1, 2), (2, 2)]


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_torn_last_line_is_cut_and_the_next_one_is_whole(tmp_path: Path, cut: int) -> None:
    write(tmp_path, 1, range(1, 4))
    path = tmp_path / "history.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    assert [line.step for line in read(tmp_path) if line.kind == "train"] == [1, 2]
    write(tmp_path, 2, range(3, 5), resumed_at=2)
    assert [line.step for line in effective(read(tmp_path)) if line.kind == "train"] == [1, 2, 3, 4]


def test_damaged_line_in_the_middle_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, 1, range(1, 4))
    path = tmp_path / "history.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[2] = b"\x00\x00\x00"
    path.write_bytes(b"\n".join(lines))
    assert [line.step for line in read(tmp_path) if line.kind == "train"] == [1, 3]


def test_tail_reads_the_end_only(tmp_path: Path) -> None:
    write(tmp_path, 1, range(1, 2000))
    found = tail(tmp_path, size=1000)
    assert found[-1].step == 1999
    assert len(found) < 20
    assert tail(tmp_path / "none") == []
