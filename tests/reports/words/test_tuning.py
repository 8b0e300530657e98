"""Values that arms have chosen: the sentence of the methods, the table, and the warning."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reports import make_report, open_study
from reports.page.blocks import plain
from reports.render.plain_text import to_text
from reports.table import StudyTable
from reports.view.study import StudyView
from reports.view.tuning import choices
from reports.words.methods import methods
from reports.words.tuning import edge_words, tuning_table, tuning_words

Make = Callable[..., StudyTable]
VALUES = [1e-5, 1e-4, 1e-3]


def tuned(table: StudyTable, *best: int, seeds: tuple[int, ...] = (100,)) -> StudyTable:
    """The study, with a value that each arm has chosen: its number in `VALUES`, in turn."""
    cells = [cell["cell_id"] for cell in table.study["cells"]]
    documents: dict[str, Any] = {}
    for number, cell in enumerate(cells):
        chosen = best[number % len(best)]
        tries = [
            {
                "value": value,
                "config": {"lr_generator": value},
                "trials": [f"{cell}{seed}" for seed in seeds],
                "outcomes": [None if at == 0 else 0.1 + abs(at - chosen)] * len(seeds),
            }
            for at, value in enumerate(VALUES)
        ]
        documents[cell] = {"path": "lr_generator", "tries": tries, "value": VALUES[chosen]}
    tuning = {
        "path": "lr_generator",
        "study": "made-tuning",
        "values": VALUES,
        "seeds": list(seeds),
        "tries": [],
    }
    study: Any = {**table.study, "tuning": tuning}
    return replace(table, study=study, tuned=documents)


def view(table: StudyTable) -> StudyView:
    return open_study(table)


def text(table: StudyTable) -> str:
    """The whole report."""
    return to_text(make_report(table).document)


def test_the_methods_say_how_the_value_was_chosen(make_study: Make) -> None:
    words = plain(tuning_words(view(tuned(make_study(), 1))))
    assert words == (
        "Every arm's lr_generator was chosen among 3 values (1e-05, 0.0001, and 0.001) on seed "
        "100, which isn't a replicate: the one with the best kid at step 400. A diverged "
        "try counts as the worst."
    )
    several = plain(tuning_words(view(tuned(make_study(), 1, seeds=(100, 101)))))
    assert "on seeds 100, 101, which aren't replicates: the one with the best mean" in several
    assert any("was chosen among" in plain(one) for one in methods(view(tuned(make_study(), 1))))


def test_a_study_that_gives_all_values_says_nothing(make_study: Make) -> None:
    plainly = view(make_study())
    assert tuning_words(plainly) == ()
    assert tuning_table(plainly) is None
    assert edge_words(plainly) is None


def test_the_table_has_every_arm_with_what_its_tries_gave(make_study: Make) -> None:
    one = view(tuned(make_study(), 1, 2))
    table = tuning_table(one)
    assert table is not None
    assert len(table.rows) == len(one.arms) == len(choices(one))
    first = [plain(cell.spans) for cell in table.rows[0]]
    assert first[1:] == ["0.0001", "1e-05: 1 diverged; 0.0001: 0.100; 0.001: 1.100"]
    assert "1 diverged" in text(one.table)


def test_a_value_at_the_edge_is_a_weak_point(make_study: Make) -> None:
    assert edge_words(view(tuned(make_study(), 1))) is None
    words = edge_words(view(tuned(make_study(), 1, 2)))
    assert words is not None
    assert plain(words).startswith("Chosen at the edge. The best lr_generator that was tried is")
    assert plain(words).count("(largest, 0.001)") == 2
    assert "try more values" in text(tuned(make_study(), 1, 2))
