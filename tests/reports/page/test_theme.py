import re

import pytest

from reports.page.theme import DARK, LIGHT, SIGNS, page_style, paper_style


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "mute", "on", "off", "good"])
@pytest.mark.parametrize("ground", ["paper", "panel"])
def test_text_has_contrast_aa(theme, text, ground):
    assert contrast(theme[text], theme[ground]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_two_tones_differ_in_grey(theme):
    """Orange and blue of one theme are also told apart by dashes, hollow marks and words; here:
    both stand out."""
    assert contrast(theme["on"], theme["paper"]) >= 3
    assert contrast(theme["off"], theme["paper"]) >= 3
    assert contrast(theme["rope"], theme["paper"]) > 1.1


def test_both_themes_name_the_same_colours():
    assert LIGHT.keys() == DARK.keys()


def test_every_colour_name_is_replaced():
    assert not re.search(r":[A-Z]{2,}[;}]", page_style() + paper_style())
    assert "var(--on)" in page_style()
    assert LIGHT["on"] in paper_style()
    assert "var(" not in paper_style()


def test_every_verdict_and_status_has_a_sign_of_its_own():
    verdicts = ("harms", "helps", "equivalent", "not enough data")
    assert len({SIGNS[word] for word in verdicts}) == len(verdicts)
