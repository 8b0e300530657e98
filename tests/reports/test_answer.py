from collections.abc import Callable

from reports import headline
from reports.analysis import analyse
from reports.answer import others
from reports.document import plain
from reports.table import StudyTable
from reports.view import StudyView


def sentences(study: StudyTable) -> str:
    return " ".join(plain(sentence) for sentence in others(StudyView(study, analyse(study))))


def test_a_reference_that_degrades_too_is_said(make_study: Callable[..., StudyTable]) -> None:
    study = make_study(factors=2, seeds=4)
    assert "The reference degraded too" not in sentences(study)
    reference = study.trials["cell_id"] == study.study["reference_cell"]
    study.trials.loc[reference, "degraded_at_step"] = [25.0, 25.0, 50.0, float("nan")]
    words = "The reference degraded too (3 of 4 seeds, median step 25): something that all arms share is a cause."
    assert words in sentences(study)
    assert words in headline(study)[1]
