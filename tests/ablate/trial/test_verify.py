"""A repetition is judged by what its device can repeat, and the sentence says how."""

import json
from pathlib import Path

import pytest

from ablate.trial import trial_file
from ablate.trial.journal import Journal
from ablate.trial.run import run_trial
from ablate.trial.verify import compare, verify_trial
from benchmarks.toy_study import toy_plan
from benchmarks.trivial_trainer import train


def recorded(folder: Path, *values: float) -> Path:
    folder.mkdir()
    journal = Journal(folder, 1)
    for step, value in enumerate(values):
        journal.write(step, "train", {"loss/a": value, "time/step_s": 7.0 * len(str(folder))}, {})
    journal.close()
    return folder


def test_exact_values_must_be_identical(tmp_path: Path) -> None:
    one, other = recorded(tmp_path / "a", 1.0, 2.0), recorded(tmp_path / "b", 1.0, 2.0 + 1e-12)
    assert compare("t", one, one).sentence == "t: 2 values repeated, all bit-identical"
    found = compare("t", one, other)
    assert not found.equal
    assert found.sentence.startswith("t: 1 of 2 values differ: first loss/a at step 1: 2.0 before")


def test_without_a_fixed_order_only_the_first_step_is_judged(tmp_path: Path) -> None:
    one = recorded(tmp_path / "a", 1.0, 2.0, 3.0)
    why = "it ran without `deterministic: true`"
    grown = compare("t", one, recorded(tmp_path / "b", 1.0, 2.0001, 4.0), 0.01, why)
    assert grown.equal
    assert grown.sentence == (
        "t: 2 values up to step 1 repeated, all within 1%. The later ones (1) aren't judged, "
        "because it ran without `deterministic: true`; the largest difference is 0.25 of the value"
    )
    wrong = compare("t", one, recorded(tmp_path / "c", 1.0, 2.1, 3.0), 0.01, why)
    assert wrong.sentence == "t: 1 of 2 values differ: first loss/a at step 1: 2.0 before, 2.1 now"
    short = compare("t", one, recorded(tmp_path / "d", 1.0, 2.0), 0.01, why)
    assert not short.equal, "a value that isn't recorded any more is no rounding"


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ({"device": "cpu", "bit_equal": True}, "all bit-identical"),
        ({"device": "cuda", "bit_equal": False, "gpu": "H"}, "without `deterministic: true`"),
        ({"device": "cuda", "bit_equal": True, "gpu": "H"}, "it ran on H, and the repetition on"),
        ({"device": "cuda", "bit_equal": True}, "all bit-identical"),
    ],
)
def test_what_the_trial_ran_on_decides(tmp_path: Path, then: dict[str, object], words: str) -> None:
    study = tmp_path / "toy"
    trial = toy_plan(seeds=1, data={"images": False}).trials[0]
    folder = study / "trials" / trial.id
    run_trial(trial, folder, train=train)
    trial_file.write(folder, {**trial_file.read(folder), "determinism": then})
    found = verify_trial(study, folder, lambda _: None, trainer="benchmarks.trivial_trainer:train")
    assert found.equal
    assert words in found.sentence
    json.dumps(found.to_dict(), allow_nan=False)
