"""The findings page and the reports that it links are of the same runs."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
SECTIONS = re.split(r"^## ", (DOCS / "findings.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
LINK = re.compile(r"\]\((examples/[^)]+)\)")
REPORTED = [section for section in SECTIONS if LINK.search(section)]


@pytest.mark.parametrize("section", REPORTED, ids=lambda section: section.split("\n")[0])
def test_plans_and_trials_of_a_section_are_in_its_reports(section):
    pages = [DOCS / place for place in LINK.findall(section)]
    assert all(page.is_file() for page in pages)
    text = "".join(page.read_text(encoding="utf-8") for page in pages if page.suffix == ".html")
    named = re.findall(r"`([0-9a-f]{12})`", section)
    assert named
    assert [id_ for id_ in named if id_[:8] not in text] == []


def test_every_report_is_linked():
    linked = {Path(place).parts[1] for section in SECTIONS for place in LINK.findall(section)}
    assert linked == {page.parent.name for page in (DOCS / "examples").glob("*/index.html")}
