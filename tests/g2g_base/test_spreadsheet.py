"""Cells that a spreadsheet would run."""

import pytest

from g2g_base.spreadsheet import plain, safe

FORMULAS = (
    "=1+1",
    '=HYPERLINK("http://example.org")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "'quoted",
)
HARMLESS = ("without", "1e-4", "-0.5", "+3", "+ long_fm", "− long_fm", "-1e-05", "", "a=b", "0.10")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_a_text_and_is_read_back(text: str) -> None:
    assert safe(text) == f"'{text}"
    assert plain(safe(text)) == text


@pytest.mark.parametrize("value", [*HARMLESS, 1, -0.5, None])
def test_numbers_and_names_stay_as_they_are(value: object) -> None:
    assert safe(value) is value
    assert plain(value) is value
