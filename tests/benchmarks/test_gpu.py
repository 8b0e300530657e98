"""The measurement of a GPU is rehearsed on a CPU, so that no minute is lost to a mistake."""

import json
import time
from pathlib import Path

import pytest

from benchmarks import gpu


def rehearsal(out: Path) -> gpu.Bench:
    return gpu.Bench("cpu", True, out, 300.0, time.perf_counter())


def lines(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / "gpu.jsonl").read_text().splitlines()]


def test_facts_and_repetitions(tmp_path: Path) -> None:
    gpu.facts(rehearsal(tmp_path))
    gpu.repeats(rehearsal(tmp_path))
    told = lines(tmp_path)
    assert not [line for line in told if "error" in line]
    assert [line["bit_identical"] for line in told if line["part"] == "repeats"] == [True] * 3


def test_a_part_that_fails_is_a_fact(tmp_path: Path) -> None:
    with rehearsal(tmp_path).fact("speed", size="4x32") as told:
        told["free_s"] = 1.0
        raise RuntimeError("CUDA error: unspecified launch failure")
    (line,) = lines(tmp_path)
    assert line["fault"] == "device"
    assert line["free_s"] == 1.0
    assert "unspecified launch failure" in str(line["error"])


@pytest.mark.slow
@pytest.mark.parametrize("part", [gpu.equality, gpu.speed, gpu.profile, gpu.trial])
def test_every_part_runs(tmp_path: Path, part: object) -> None:
    part(rehearsal(tmp_path))  # type: ignore[operator]
    assert lines(tmp_path)
    assert not [line for line in lines(tmp_path) if line.get("error")]
