from dataclasses import replace

import pytest

from reports import ReportError, build_report, make_comparison
from reports.plain_text import to_text


@pytest.fixture
def pair(make_study):
    """Two studies with the same evaluation pairs."""
    first, second = make_study(name="first"), make_study(name="second", factors=3)
    return [replace(table, trials=table.trials.assign(**{"digest.eval_pairs": "abc"})) for table in (first, second)]


def with_outcome(table, **changes):
    return replace(table, study={**table.study, "outcome": {**table.study["outcome"], **changes}})


def test_studies_with_equal_outcome_and_pairs_are_put_side_by_side(pair):
    document = make_comparison(pair).document
    text = to_text(document)
    assert "can be compared" in text
    assert "Table shared-factors" in text
    assert "Figure references" in text
    assert [section.id for section in document.sections] == ["answer", "factors", "curves", "study-1", "study-2"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (
            lambda t: replace(t, trials=t.trials.assign(**{"digest.eval_pairs": "other"})),
            "Not the same evaluation pairs",
        ),
        (lambda t: replace(t, trials=t.trials.drop(columns="digest.eval_pairs")), "not recorded for second"),
        (lambda t: with_outcome(t, metric="swap_score"), "Not the same outcome (first: kid; second: swap_score)"),
        (lambda t: with_outcome(t, summary="best"), "Not the same summary of the curve"),
    ],
)
def test_what_can_not_be_compared_is_said(pair, change, word):
    text = to_text(make_comparison([pair[0], change(pair[1])]).document)
    assert "can't be put side by side" in text
    assert word in text
    assert "Figure references" not in text


def test_a_study_with_itself_is_refused(pair):
    with pytest.raises(ReportError, match="two different studies"):
        make_comparison([pair[0], pair[0]])


def test_files_of_a_comparison(pair, tmp_path):
    build_report(pair, tmp_path)
    assert (tmp_path / "index.html").exists()
    assert (tmp_path / "report.pdf").exists()
    for number in (1, 2):
        assert (tmp_path / f"data-{number}" / "arms.csv").exists()
        assert (tmp_path / "tables" / f"methods-{number}.tex").exists()


def test_one_study_in_a_list_is_an_ordinary_report(make_study, tmp_path):
    build_report([make_study()], tmp_path, formats=("csv",))
    assert (tmp_path / "data" / "arms.csv").exists()
