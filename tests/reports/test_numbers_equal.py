"""The same numbers everywhere: what a reader sees in the page, the PDF and the LaTeX tables is the
CSV's, rounded."""

import io
import json
import re
from html import unescape

import pandas as pd
import pytest
from pypdf import PdfReader

from reports import build_report, open_study
from reports.page.numbers import p_value
from reports.render.latex import escaped


@pytest.fixture(scope="module")
def built(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("equal")
    build_report(study, folder)
    return folder


@pytest.fixture(scope="module")
def page_rows(built):
    """Table name -> its rows in the page, each a list of cell texts."""
    html = (built / "index.html").read_text(encoding="utf-8")
    tables = {}
    for name, inside in re.findall(r'<table id="t-([\w-]+)".*?<tbody>(.*?)</tbody>', html, re.S):
        rows = re.findall(r"<tr>(.*?)</tr>", inside, re.S)
        cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
        tables[name] = [
            [unescape(re.sub(r"<[^>]+>", " ", cell)).strip() for cell in row] for row in cells
        ]
    return tables


@pytest.fixture(scope="module")
def pdf_text(built):
    pages = PdfReader(io.BytesIO((built / "report.pdf").read_bytes())).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def read(built, name):
    return pd.read_csv(built / "data" / f"{name}.csv", dtype={"cell_id": str})


def latex_row(built, name, index):
    lines = (
        (built / "tables" / f"{name}.tex")
        .read_text(encoding="utf-8")
        .split(r"\midrule")[1]
        .splitlines()
    )
    return [line for line in lines if line.strip().endswith(r"\\")][index]


@pytest.mark.parametrize(("name", "value"), [("verdicts", "effect"), ("effects", "estimate")])
def test_effects_are_equal_in_page_pdf_latex_and_csv(
    study, built, page_rows, pdf_text, name, value
):
    scale, frame = open_study(study).scale, read(built, name)
    assert len(frame) == len(page_rows[name]) > 1
    for index, row in enumerate(frame.to_dict("records")):
        shown = [
            scale.signed(row[value]),
            scale.interval(row["low"], row["high"]),
            p_value(row["p_adjusted"]),
        ]
        cells = page_rows[name][index]
        assert [cell for cell in cells if cell in shown] == shown
        for text in shown:
            assert text in pdf_text
            assert escaped(text) in latex_row(built, name, index)


def test_arms_are_equal_in_page_pdf_latex_and_csv(study, built, page_rows, pdf_text):
    view = open_study(study)
    frame = read(built, "arms").set_index("cell_id")
    for index, arm in enumerate(view.arms):
        row = frame.loc[arm.cell_id]
        mean = f"{view.scale.fixed(row['mean'])} ({view.scale.fixed(row['sd'])})"
        texts = [mean] if arm.reference else [mean, view.scale.signed(row["difference"])]
        cells = [re.sub(r"\s+", " ", cell) for cell in page_rows["arms"][index]]
        for text in texts:
            assert text in cells
            assert text in pdf_text
            assert escaped(text) in re.sub(
                r"\\\w+\{([^{}]*)\}", r"\1", latex_row(built, "arms", index)
            )


def test_shapley_shares_add_up_in_every_output(study, built, page_rows, pdf_text):
    scale, frame = open_study(study).scale, read(built, "shapley")
    total = scale.signed(frame["value"].sum())
    assert page_rows["shapley"][-1][1] == total
    assert total in latex_row(built, "shapley", len(frame)).replace("$-$", "−")
    assert total in pdf_text


def test_the_answer_is_the_same_sentence_in_page_pdf_and_json(built, pdf_text):
    answer = json.loads((built / "data" / "report.json").read_text(encoding="utf-8"))["answer"]
    html = unescape(re.sub(r"<[^>]+>", "", (built / "index.html").read_text(encoding="utf-8")))
    assert answer in html
    assert re.sub(r"\s", "", answer) in re.sub(r"\s", "", pdf_text)


def test_onsets_are_equal_in_page_and_csv(built, page_rows):
    onset = read(built, "onset").set_index("trial_id")["degraded_at_step"]
    for cells in page_rows["trials"]:
        step = onset[cells[0]]
        assert cells[5] == ("–" if pd.isna(step) else f"{step:.0f}")
