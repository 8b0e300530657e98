import json
import time

import pandas as pd
import pytest

import reports
from reports import ReportError, build_report, headline, make_report, open_study
from reports.page.blocks import Section, Text, rich
from reports.sections import SECTIONS, all_sections


def hello(view):
    """A section of one's own."""
    return Section("hello", "Hello", "Hello", (Text(rich(f"{len(view.arms)} arms")),))


def test_files_are_where_the_contract_says(study, tmp_path):
    paths = build_report(study, tmp_path / "report")
    names = {path.relative_to(tmp_path / "report").as_posix() for path in paths}
    data = {
        f"data/{name}.csv"
        for name in ("arms", "effects", "shapley", "verdicts", "onset", "metrics")
    }
    wanted = {
        "index.html",
        "report.pdf",
        "tables/verdicts.tex",
        "tables/methods.tex",
        "data/report.json",
    }
    assert data | wanted <= names
    assert {
        "figures/effects-forest.svg",
        "figures/effects-forest.pdf",
        "figures/survival.svg",
    } <= names
    assert all(path.stat().st_size > 0 for path in paths)


def test_300_trials_take_seconds_and_megabytes(make_study, tmp_path):
    table = make_study(tmp_path / "trials", factors=6, seeds=5, cells=60, tile=64)
    assert len(table.trials) == 300
    start = time.perf_counter()
    build_report(table, tmp_path / "report")
    assert time.perf_counter() - start < 30
    assert (tmp_path / "report" / "index.html").stat().st_size < 10_000_000
    assert (tmp_path / "report" / "report.pdf").stat().st_size < 10_000_000


def test_report_json_names_the_answer_and_the_files(study, tmp_path):
    build_report(study, tmp_path, formats=("html", "csv"))
    content = json.loads((tmp_path / "data" / "report.json").read_text(encoding="utf-8"))
    assert content["question"] == study.study["question"]
    assert content["plan_hash"] == study.study["hash"]
    assert content["trials"] == {"diverged": 1, "failed": 1, "finished": 14}
    assert content["files"]["html"] == ["index.html"]
    assert "data/arms.csv" in content["files"]["csv"]
    assert {row["factor"] for row in content["verdicts"]} == {"long_recon", "long_fm"}


@pytest.mark.parametrize(
    "name", ["arms", "effects", "shapley", "verdicts", "differences", "onset", "metrics"]
)
def test_csv_files_hold_the_frames_digit_by_digit(study, tmp_path, name):
    build_report(study, tmp_path, formats=("csv",))
    frame = getattr(open_study(study).analysis, name)
    read = pd.read_csv(tmp_path / "data" / f"{name}.csv", dtype={"cell_id": str, "trial_id": str})
    # The codes of arms stand next to their ids.
    assert [column for column in read if column != "arm_code"] == list(frame)
    assert ("arm_code" in read) == ("cell_id" in frame)
    for column in frame.select_dtypes("number"):
        assert read[column].tolist() == pytest.approx(
            frame[column].astype(float).tolist(), rel=1e-12, nan_ok=True
        )


def test_sections_can_be_left_out_and_added(study):
    names = [
        section.id
        for section in make_report(study, leave_out=("glossary", "trust")).document.sections
    ]
    assert "glossary" not in names
    assert names == [
        s.id for s in make_report(study, leave_out=iter(("glossary", "trust"))).document.sections
    ]
    assert "answer" in names
    own = make_report(study, sections=(SECTIONS[0], hello)).document
    assert [section.id for section in own.sections] == ["answer", "hello"]


def test_sections_of_installed_packages_come_last(study, monkeypatch):
    class Entry:
        name, value = "hello", "other:hello"

        @staticmethod
        def load():
            return hello

    monkeypatch.setattr(
        "g2g_base.plugins.entry_points",
        lambda group: [Entry] if group == "g2g_ablate.sections" else [],
    )
    assert all_sections()[-1] is hello
    assert make_report(study).document.sections[-1].id == "hello"


def test_a_section_of_somebody_else_that_fails_is_named(study):
    def broken(view):
        return view.no_such_thing

    def answer_again(view):
        return Section("answer", "Again", "Again", ())

    def text(view):
        return "hello"

    with pytest.raises(ReportError, match=r"section broken: AttributeError: .*no_such_thing"):
        make_report(study, sections=(*SECTIONS, broken))
    with pytest.raises(ReportError, match="sections answer and answer_again have one id, answer"):
        make_report(study, sections=(*SECTIONS, answer_again))
    with pytest.raises(ReportError, match="section text: returned str, not a Section"):
        make_report(study, sections=(text,))


def test_mistakes_are_named(study, tmp_path):
    with pytest.raises(ReportError, match="no such section: glosary"):
        make_report(study, leave_out=("glosary",))
    with pytest.raises(ReportError, match="no such format: docx"):
        build_report(study, tmp_path, formats=("docx",))


def test_the_headline_has_five_lines(study):
    lines = headline(study)
    assert headline(open_study(study)) == lines
    assert len(lines) == 5
    assert lines[0] == study.study["question"]
    assert "14 finished, 1 diverged, 1 failed" in lines[3]
    assert all("\n" not in line for line in lines)


def test_the_public_names_are_there():
    assert all(hasattr(reports, name) for name in reports.__all__)


def test_every_section_says_what_it_is():
    for section in SECTIONS:
        assert (section.__doc__ or "").strip()
    assert len({section.__name__ for section in SECTIONS}) == len(SECTIONS)
