"""What judged runs left open becomes a study file that plans, with fresh seeds."""

from pathlib import Path

import pytest

from ablate.judging.continued import write_continued
from ablate.judging.matching import match
from ablate.judging.question import AskedFactor, Question
from ablate.judging.source import read_source
from ablate.judging.writing import write_folder
from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.results import tables
from ablate.study.nouns import StudyError

COMMAND = "python train.py --lr {lr} --loss {loss} --seed {seed} --out {folder}"


def judged(folder: Path, noise: float, arms: int = 4) -> Path:
    """A folder of judged runs, of which lr harms, and nobody knows about loss."""
    lines = ["lr,loss,seed,val_error"]
    for seed in range(4):
        for number, (lr, loss) in enumerate((a, b) for a in ("0.010", "0.1") for b in ("l1", "l2")):
            value = 1 + (lr == "0.1") + noise * (seed * 37 % 11 - 5) * (loss == "l2") / 5
            lines += [f"{lr},{loss},{seed},{value}"] if number < arms else []
    table = folder / "runs.csv"
    table.write_text("\n".join(lines) + "\n")
    question = Question(
        str(table),
        {"lr": AskedFactor("lr"), "loss": AskedFactor("loss")},
        "seed",
        {"metric": "val_error", "better": "lower", "smallest_effect": 0.05},
        "toy",
    )
    write_folder(match(question, read_source(question)), folder / "out")
    tables.gather(folder / "out")
    return folder / "out"


def test_what_is_open_becomes_a_study_with_fresh_seeds(tmp_path: Path) -> None:
    path = tmp_path / "continue.yaml"
    why = write_continued(judged(tmp_path, 0.1), path, COMMAND)
    assert why == ["loss: more seeds"]
    spec = load_study(path)
    assert [factor.name for factor in spec.factors] == ["loss"]
    assert min(spec.seeds) == 4
    assert len(spec.seeds) > 4
    first = plan(spec).trials[0].config
    assert "--lr 0.010 --loss l1" in " ".join(first.arguments)  # type: ignore[attr-defined]


def test_missing_combinations_are_among_the_arms(tmp_path: Path) -> None:
    path = tmp_path / "continue.yaml"
    write_continued(judged(tmp_path, 0.0, arms=3), path, COMMAND)
    assert len(plan(load_study(path)).cells) == 4


def test_nothing_is_written_where_nothing_can_be_settled(tmp_path: Path) -> None:
    path = tmp_path / "continue.yaml"
    with pytest.raises(StudyError, match=r"has no \{loss\} and \{seed\}"):
        write_continued(judged(tmp_path, 0.1), path, "python train.py --lr {lr}")
    with pytest.raises(StudyError, match="did you mean"):
        write_continued(tmp_path / "out", path, COMMAND.replace("{folder}", "{floder}"))
    assert not path.exists()
