"""What a machine can do, told before hours are spent."""

from pathlib import Path

import pytest

from ablate.running.resources import computes_bfloat16
from ablate.running.study import run_study
from benchmarks.toy_study import BARE, toy_plan


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("model name\t: A\nflags\t\t: fpu avx2 fma\n", False),
        ("flags\t\t: fpu avx2 avx512f avx512bw avx512_bf16\n", True),
        ("Features\t: fp asimd i8mm\n", False),
        ("Features\t: fp asimd bf16 i8mm\n", True),
        ("processor\t: 0\n", True),
    ],
)
def test_whether_a_processor_computes_in_bfloat16(tmp_path: Path, text: str, does: bool) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    assert computes_bfloat16(path) is does
    assert computes_bfloat16(tmp_path / "not there")


@pytest.mark.parametrize(("precision", "said"), [("bfloat16", 1), ("float32", 0)])
def test_bfloat16_without_instructions_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str, said: int
) -> None:
    monkeypatch.setattr("ablate.running.study.computes_bfloat16", lambda: False)
    result = run_study(toy_plan(precision=precision), tmp_path, workers=0, **BARE)
    assert sum("no instructions for it" in line for line in result.messages) == said
