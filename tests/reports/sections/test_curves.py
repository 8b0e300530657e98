"""A caption of curves names no mark that is not drawn."""

from collections.abc import Callable
from dataclasses import replace

from reports import open_study
from reports.page.blocks import Figure, Section, Text, plain
from reports.sections.curves import curves
from reports.table import StudyTable

Make = Callable[..., StudyTable]


def section(study: StudyTable) -> Section:
    found = curves(open_study(study))
    assert found is not None
    return found


def caption(study: StudyTable) -> str:
    figure = next(block for block in section(study).blocks if isinstance(block, Figure))
    return plain(figure.caption)


def test_marks_that_are_drawn_are_named(make_study: Make) -> None:
    text = caption(make_study(status={(3, 1): "diverged"}))
    assert text == (
        "kid by step (lower is better). Thin: seeds; thick: mean of the finished trials; dashed: "
        "reference; dotted: 10% worse than step 0; ▼: onset of a seed; ✕: a trial that ended "
        "early."
    )


def test_marks_that_are_not_drawn_are_not_named(make_study: Make) -> None:
    study = make_study(factors=1)
    quiet = study.trials.assign(degraded_at_step=float("nan"))
    text = caption(replace(study, trials=quiet))
    assert "▼" not in text
    assert "✕" not in text
    alone = caption(make_study(factors=1, cells=1))
    assert "reference" not in alone


def test_the_arms_shown_are_described_without_a_verdict(make_study: Make) -> None:
    found = section(make_study(factors=5, seeds=2))
    notes = [plain(block.spans) for block in found.blocks if isinstance(block, Text)]
    assert notes[-1] == (
        "Shown: the reference and the 15 arms whose mean differs most from its; all 32 are in "
        "the table of arms."
    )
