"""Runs that other programs made become a study's folder, and are judged by the same code."""

import csv
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from ablate.commands.judging import meaning, with_options
from ablate.judging.judge import Judged, asked, judge
from ablate.judging.matching import match
from ablate.judging.question import AskedFactor, Question, question_text, read_question
from ablate.judging.source import read_source
from ablate.judging.writing import write_folder
from ablate.results import tables
from ablate.study.nouns import StudyError
from reports import analyse, load_results, make_report
from reports.render.plain_text import to_text
from reports.sections.trust import trust

FACTORS = {"lr": AskedFactor("lr"), "loss": AskedFactor("loss")}
OUTCOME = {"metric": "val_error", "smallest_effect": 0.02}

Row = dict[str, object]


def noise(*numbers: int) -> float:
    """A number in [-1, 1] that looks like noise, the same on every machine."""
    return random.Random(str(numbers)).uniform(-1, 1)


def rows(seeds: int = 6, lr: float = 0.05, loss: float = 0.0) -> list[Row]:
    """Runs of two factors with planted effects, and a shift that all runs of a seed share."""
    return [
        {
            "lr": ("0.01", "0.1")[a],
            "loss": ("l1", "l2")[b],
            "seed": seed,
            "val_error": round(
                0.3 + 0.03 * noise(seed) + a * lr + b * loss + 0.002 * noise(seed, a, b), 6
            ),
        }
        for seed in range(seeds)
        for a in (0, 1)
        for b in (0, 1)
    ]


def table(path: Path, content: Iterable[Row], delimiter: str = ",") -> str:
    """Write a table with a column for each key; return its path."""
    content = list(content)
    columns = list(dict.fromkeys(key for row in content for key in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter=delimiter, restval="")
        writer.writeheader()
        writer.writerows(content)
    return str(path)


Ask = Callable[..., Question]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Makes the question about rows, in a table of their own."""

    def made(content: Iterable[Row], **changes: object) -> Question:
        question = Question(
            table(tmp_path / "runs.csv", content), FACTORS, "seed", OUTCOME, name="runs"
        )
        return replace(question, **changes)  # type: ignore[arg-type]

    return made


def verdicts(judged: Judged) -> dict[str, str]:
    """The verdicts in the report's own file."""
    report = json.loads((judged.folder / "report" / "data" / "report.json").read_text())
    return {row["factor"]: row["verdict"] for row in report["verdicts"]}


def told(question: Question, folder: Path) -> str:
    """The weak points that the report names."""
    write_folder(match(question, read_source(question)), folder)
    tables.gather(folder)
    return to_text(make_report(load_results(folder), (trust,)).document)


def refused(question: Question) -> str:
    """The one line with which a question is refused."""
    with pytest.raises(StudyError) as error:
        match(question, read_source(question))
    line = str(error.value)
    assert "\n" not in line
    return line


def test_a_table_gets_the_whole_report_with_planted_verdicts(ask: Ask, tmp_path: Path) -> None:
    judged = judge(ask(rows()), tmp_path / "out", ("html", "text", "latex", "csv"))
    assert verdicts(judged) == {"lr": "harms", "loss": "equivalent"}

    report = judged.folder / "report"
    assert {"index.html", "report.txt"} <= {path.name for path in report.iterdir()}
    text = (report / "report.txt").read_text()
    assert "Rule not registered." in text
    assert "not registered: they were chosen when the runs existed already" in text
    # Nothing is said about steps, onsets, or commands that these runs don't have
    for false in ("step 1", "degraded", "g2g-ablate run", "g2g-ablate verify", "share initial"):
        assert false not in text.partition("## Glossary")[0], false


def test_the_same_rows_in_every_usual_shape_are_the_same_runs(ask: Ask, tmp_path: Path) -> None:
    import pandas as pd

    content = rows(3)
    wanted = match(ask(content), read_source(ask(content))).runs
    long = [
        {**{k: v for k, v in row.items() if k != "val_error"}, "metric": name, "value": value}
        for row in content
        for name, value in (("val_error", row["val_error"]), ("other", 1.5))
    ]
    wide: dict[tuple[object, object], Row] = {}
    for row in content:
        arm = wide.setdefault((row["lr"], row["loss"]), {"lr": row["lr"], "loss": row["loss"]})
        arm[f"val_error_seed{row['seed']}"] = row["val_error"]
    stepped = [
        {**row, "epoch": epoch, "val_error": float(str(row["val_error"])) + 2 - epoch}
        for row in content
        for epoch in (1, 2)
    ]
    parquet = tmp_path / "runs.parquet"
    pd.DataFrame(content).to_parquet(parquet)

    comma = [{**row, "val_error": str(row["val_error"]).replace(".", ",")} for row in content]
    sources = [
        str(parquet),
        table(tmp_path / "runs.tsv", content, "\t"),
        table(tmp_path / "semicolon.csv", comma, ";"),
        table(tmp_path / "long.csv", long),
        table(tmp_path / "wide.csv", wide.values()),
        table(tmp_path / "stepped.csv", stepped),
    ]
    for source in sources:
        question = ask(content, source=source)
        runs = match(question, read_source(question)).runs
        assert {key: run.last("val_error") for key, run in runs.items()} == pytest.approx(
            {key: run.last("val_error") for key, run in wanted.items()}
        ), source


def test_what_nobody_names_is_guessed_shown_and_written_down(tmp_path: Path, ask: Ask) -> None:
    question = ask(rows(), factors={}, pair="", outcome={})
    found = match(question, read_source(question))
    assert found.question.guessed == {"factors", "pair", "outcome", "better"}
    assert dict(found.question.factors) == {
        "lr": AskedFactor("lr", ("0.01", "0.1")),
        "loss": AskedFactor("loss", ("l1", "l2")),
    }
    lines = "\n".join(meaning(found))
    assert "lr: 0.01, 0.1 (guessed)" in lines
    assert "val_error (guessed), lower is better (guessed)" in lines

    # The file answers the same question, with nothing left to guess
    path = tmp_path / "judge.yaml"
    path.write_text(question_text(found.question))
    again = match(read_question(path), read_source(read_question(path)))
    assert again.runs.keys() == found.runs.keys()
    assert not again.question.guessed


def test_levels_keep_their_text_and_the_first_one_can_be_chosen(ask: Ask) -> None:
    content = [
        {**row, "lr": "1e-1" if row["lr"] == "0.1" and row["seed"] else row["lr"]} for row in rows()
    ]
    question = ask(content)
    found = match(question, read_source(question), {"lr": "0.10"})
    assert found.question.factors["lr"].levels == ("0.1", "0.01")


def test_options_of_the_command_line_add_to_a_file(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "judge.yaml"
    path.write_text(
        "source: runs.csv\nfactors: [lr]\npair: seed\noutcome: {metric: val_error}\n"
        "where: {loss: l1}\n"
    )
    ask(rows())
    question = with_options(asked(str(path)), "", "", "", "", 0.02, None)
    found = match(question, read_source(question))
    assert len(found.runs) == 12
    assert found.judged["left_out"] == {"with another loss than l1": 12}


def test_what_is_wrong_with_the_runs_is_told(ask: Ask, tmp_path: Path) -> None:
    content = [{**row, "status": "finished", "commit": "abc", "batch": "32"} for row in rows()]
    first = content[0]
    content[0] = {**first, "status": "failed", "val_error": ""}
    content.append({**first, "status": "finished"})
    content[5]["val_error"] = "nan"
    content[6] = {**content[6], "status": "crashed", "val_error": ""}
    for row in content[8:12]:
        row["commit"] = "def"
    for row in content:
        row["batch"] = "64" if row["lr"] == "0.1" else "32"
    del content[7]  # no run at all with lr=0.1 loss=l2 seed=1
    text = told(ask(content), tmp_path / "out")
    facts = match(ask(content), read_source(ask(content))).judged
    assert facts["restarted"] == [{"levels": {"lr": "0.01", "loss": "l1"}, "seed": "0", "runs": 2}]
    assert facts["absent"] == [{"levels": {"lr": "0.1", "loss": "l2"}, "seed": 1}]
    differing = {entry["column"]: entry for entry in facts["differing"]}
    assert "batch" in differing

    rows_ = load_results(tmp_path / "out").trials
    assert rows_["status"].value_counts().to_dict() == {"finished": 21, "diverged": 1, "failed": 1}
    assert set(rows_["error"].dropna()) == {"val_error is nan"}
    for sentence in (
        "Started again. Several runs were started, of which at most one finished, at "
        "lr=0.01 loss=l1 seed 0.",
        "Missing runs. 1 run is not in the source: lr=0.1 loss=l2 seed 1.",
        "Not a factor. The runs differ in batch, which is not a factor: 32, 64.",
    ):
        assert sentence in text, sentence


def test_a_partial_grid_is_told_and_still_judged(ask: Ask, tmp_path: Path) -> None:
    content = [row for row in rows() if (row["lr"], row["loss"]) != ("0.1", "l2")]
    text = told(ask(content), tmp_path / "out")
    verdicts_ = analyse(load_results(tmp_path / "out")).judgement.verdicts
    assert verdicts_ == {"lr": "harms", "loss": "equivalent"}
    assert "Partial grid. 1 combination of levels has no run: lr=0.1 loss=l2." in text


def test_runs_of_unequal_lengths_are_told(ask: Ask, tmp_path: Path) -> None:
    content = [
        {**row, "step": step}
        for row in rows()
        for step in range(0, 30 if row["lr"] == "0.1" else 20, 10)
    ]
    text = told(ask(content), tmp_path / "out")
    assert "Different training lengths. Finished trials trained for 10 to 20 steps." in text


@pytest.mark.parametrize(
    ("content", "changes", "line"),
    [
        (rows(), {"pair": "sed"}, "pair sed: no such column; did you mean seed?"),
        (rows(), {"factors": {"rl": AskedFactor("rl")}}, "factor rl: no such column"),
        (rows(), {"outcome": {"metric": "val_eror"}}, "did you mean val_error?"),
        (rows(), {"outcome": {"metric": "seed"}, "pair": "loss"}, "whether lower or higher"),
        ([row for row in rows() if row["lr"] == "0.1"], {}, "a comparison needs two levels"),
        ([{**row, "lr": n} for n, row in enumerate(rows())], {}, "has 24 levels, more than 20"),
        (
            [{**row, "seed": n} for n, row in enumerate(rows())],
            {},
            "no two runs have the same seed",
        ),
        (
            [{k: v for k, v in row.items() if k != "seed"} for row in rows()],
            {"pair": ""},
            "nothing pairs the runs",
        ),
        (
            [*rows(), {**rows()[0], "val_error": 0.9}],
            {},
            "lr=0.01 loss=l1 seed=0: 2 runs finished with different values of val_error; say which",
        ),
        (
            [
                {**row, "batch": b, "val_error": float(str(row["val_error"])) + b / 1000}
                for row in rows()
                for b in (32, 64)
            ],
            {},
            "they differ in batch: make it a factor, or choose by --where",
        ),
        (rows(), {"where": {"loss": "l3"}}, "where loss=l3: no run has it; loss is one of l1, l2"),
        ([], {}, "holds no rows"),
    ],
)
def test_what_has_no_answer_is_refused_in_one_line(
    ask: Ask, content: list[Row], changes: dict[str, object], line: str
) -> None:
    assert line in refused(ask(content, **changes))


@pytest.mark.parametrize(("taken", "value"), [("first", 0.2), ("last", 0.4), ("mean", 0.3)])
def test_what_counts_of_several_runs_can_be_chosen(ask: Ask, taken: str, value: float) -> None:
    content = rows()
    content[0]["val_error"] = 0.2
    content.append({**content[0], "val_error": 0.4})
    question = ask(content, duplicates=taken)
    runs = match(question, read_source(question))
    assert runs.runs[0, 0].last("val_error") == pytest.approx(value)
    assert runs.judged["repeated"][0]["runs"] == 2


def test_judging_again_by_another_rule_is_told(ask: Ask, tmp_path: Path) -> None:
    told(ask(rows()), tmp_path / "out")
    later = ask(rows(), outcome={"metric": "val_error", "smallest_effect": 0.2})
    text = told(later, tmp_path / "out")
    assert "Rule changed:" in text
    assert "from 0.02 to 0.2" in text
    facts = load_results(tmp_path / "out").ledger
    assert facts is not None
    assert facts.state == "present"


def test_a_folder_with_trials_that_were_run_here_is_left_alone(ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "plan.json").write_text('{"trials": []}')
    with pytest.raises(StudyError, match="holds a study that was run here"):
        judge(ask(rows()), folder, ("csv",))
    assert [path.name for path in folder.iterdir()] == ["plan.json"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sorce: a.csv", "did you mean source?"),
        ("source: a.csv\noutcome: {metric: x, better: more}", "outcome.better"),
        ("source: a.csv\nfactors: {lr: {levels: [a, a]}}", "contains a duplicate"),
        ("source: a.csv\nduplicates: all", "duplicates"),
    ],
)
def test_mistakes_in_a_file_have_their_place(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "judge.yaml"
    path.write_text(text)
    with pytest.raises(StudyError, match=r"judge\.yaml:") as error:
        asked(str(path))
    assert line in str(error.value)


def test_the_analysis_is_that_of_a_study_with_the_same_numbers(ask: Ask, tmp_path: Path) -> None:
    """The effect is the mean of the differences within seeds, computed here by hand."""
    content = rows()
    told(ask(content), tmp_path / "out")
    value = {(r["lr"], r["loss"], r["seed"]): float(str(r["val_error"])) for r in content}
    by_hand = (
        sum(
            value["0.1", loss, seed] - value["0.01", loss, seed]
            for seed in range(6)
            for loss in ("l1", "l2")
        )
        / 12
    )
    frame = analyse(load_results(tmp_path / "out")).verdicts.set_index("factor")
    assert frame.loc["lr", "effect"] == pytest.approx(by_hand)
