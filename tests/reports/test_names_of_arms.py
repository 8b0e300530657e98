"""No name of an arm is cut or ambiguous, whatever the number of arms and the length of names."""

import html
import io
import re

import pytest
from pypdf import PdfReader

from reports import make_report, open_study
from reports.render.html import to_html
from reports.render.pdf import to_pdf
from reports.render.plain_text import to_text

LONG = {
    "long_recon": "weight_of_the_long_reconstruction_loss_of_the_generator",
    "long_fm": "weight_of_the_long_reconstruction_loss_of_the_discriminator",
    "reassembly_fm": "weight_of_the_reassembly_loss",
}


def visible(page: str) -> str:
    """The text of a page, with alternative texts and titles, without styles and scripts."""
    page = re.sub(r"<(style|script).*?</\1>", "", page, flags=re.S)
    page = re.sub(r'(?:alt|title|aria-label)="([^"]*)"', r">\1<", page)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.mark.parametrize("factors", [1, 4, 6])
def test_every_arm_has_a_code_of_its_own_and_its_full_name(make_study, factors):
    study = make_study(factors=factors, seeds=3, names=LONG)
    view = open_study(study)
    codes = [arm.code for arm in view.arms]
    assert len(set(codes)) == len(codes) == 2**factors
    document = make_report(study).document
    for text in (visible(to_html(document)), to_text(document)):
        for arm in view.arms:
            assert arm.code in text
            assert arm.label in text
        assert not re.search(r"\w…", text)
    trials = [view.names.trial(arm.levels, seed) for arm in view.arms for seed in view.seeds]
    assert len(set(trials)) == len(trials)


def test_leave_one_out_names_what_is_left_out(make_study):
    study = make_study(factors=2, seeds=3)
    on = {"long_recon": "with", "long_fm": "with"}
    plan = {**study.study, "turned": "off", "design": {"kind": "leave_one_out"}, "reference": on}
    names = open_study(type(study)(**{**vars(study), "study": plan})).names
    assert names.code({"long_recon": "with", "long_fm": "without"}) == "− long_fm"


@pytest.mark.slow
@pytest.mark.parametrize("factors", [1, 4, 6])
def test_every_code_is_in_the_pdf(make_study, factors):
    study = make_study(factors=factors, seeds=3, names=LONG)
    pages = PdfReader(io.BytesIO(to_pdf(make_report(study).document))).pages
    text = "".join("".join(page.extract_text() for page in pages).split())
    assert all(arm.code.replace(" ", "") in text for arm in open_study(study).arms)
    assert "…" not in text
