"""A factor that changed not a digit: its rows say so, in all formats, and the CSV keeps the
numbers."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from pypdf import PdfReader

from reports import build_report, headline, make_report, open_study
from reports.page.blocks import Table, plain
from reports.render.plain_text import to_text
from reports.table import StudyTable


@pytest.fixture
def inert(make_study: Callable[..., StudyTable]) -> StudyTable:
    """Two factors, four seeds; with and without `long_fm` trials end equal."""
    study = make_study(factors=2, seeds=4)
    trials = study.trials.set_index(["seed", "level.long_recon", "level.long_fm"]).sort_index()
    everywhere = slice(None)
    without = trials.loc[(everywhere, everywhere, "without"), "metric.kid"].to_numpy()
    trials.loc[(everywhere, everywhere, "with"), "metric.kid"] = without
    return replace(study, trials=trials.reset_index())


def intervals(study: StudyTable, name: str) -> list[tuple[str, ...]]:
    """First cell, interval, and p or what stands under the interval, of each row of a table."""
    blocks = make_report(study).document.blocks()
    table = next(block for block in blocks if isinstance(block, Table) and block.name == name)
    place = [column.key for column in table.columns].index("interval")
    rows = [
        (
            row[0],
            row[place],
            row[place + 1] if name != "arms" else replace(row[place], spans=row[place].sub),
        )
        for row in table.rows
    ]
    return [tuple(plain(cell.spans) for cell in row) for row in rows]


def test_rows_of_a_factor_that_did_nothing_say_so(inert: StudyTable) -> None:
    found = intervals(inert, "effects")
    assert found[1:] == [("long_fm", "did nothing", "–"), ("long_recon × long_fm", "0.000", "–")]
    assert found[0][1].startswith("+0.002 to")
    assert intervals(inert, "verdicts")[1] == ("long_fm", "did nothing", "–")
    assert intervals(inert, "arms")[1] == ("F", "equal trials", "")
    assert "= long_fm equivalent (did nothing)" in headline(inert)[2]


def test_page_and_pdf_show_no_interval_of_it_and_the_csv_numbers(
    inert: StudyTable, tmp_path: Path
) -> None:
    build_report(inert, tmp_path, formats=("html", "pdf", "csv"))
    reader = PdfReader(io.BytesIO((tmp_path / "report.pdf").read_bytes()))
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    for text in (
        page,
        re.sub(r"\s+", " ", " ".join(sheet.extract_text() for sheet in reader.pages)),
    ):
        assert "did nothing" in text
        assert "0.000 to 0.000" not in text
    effects = pd.read_csv(tmp_path / "data" / "effects.csv").set_index("term").loc["long_fm"]
    assert effects[["estimate", "low", "high", "p"]].tolist() == [0.0, 0.0, 0.0, 1.0]


def with_outcome(study: StudyTable, *of_cells: float) -> StudyTable:
    """The study with these outcomes of its cells, shifted by the seed."""
    cells = dict(zip((cell["cell_id"] for cell in study.study["cells"]), of_cells, strict=True))
    outcome = study.trials["cell_id"].map(cells) + 0.0137 * study.trials["seed"]
    return replace(study, trials=study.trials.assign(**{"metric.kid": outcome}))


def test_opposite_effects_that_cancel_are_not_nothing(
    make_study: Callable[..., StudyTable],
) -> None:
    """Each factor raises the outcome without the other one by what it lowers it with it."""
    study = with_outcome(make_study(factors=2, seeds=3), 0.5, 0.75, 0.75, 0.5)
    text = " ".join(headline(study)) + to_text(make_report(study).document)
    assert open_study(study).analysis.idle == ()
    assert intervals(study, "verdicts") == [("long_recon", "0.000", "–"), ("long_fm", "0.000", "–")]
    assert "did nothing" not in text.lower()
    assert "last digit" not in text


def test_an_interaction_of_additive_factors_is_a_plain_0(
    make_study: Callable[..., StudyTable],
) -> None:
    study = with_outcome(make_study(factors=2, seeds=3), 0.5, 0.75, 1.0, 1.25)
    assert intervals(study, "effects")[2] == ("long_recon × long_fm", "0.000", "–")
    assert "did nothing" not in to_text(make_report(study).document).lower()
