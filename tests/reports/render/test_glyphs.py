from reports.render import glyphs
from reports.render.glyphs import choose_fonts


def test_usual_text_needs_no_other_font():
    fonts = choose_fonts(set("Latin, λ Ελληνικά, é ñ ř, − × ± ● ○ ▲ ▼ ✕ ✓ ↔ →\n\u200b"))
    assert (fonts.extra, fonts.missing, fonts.note) == ((), frozenset(), "")


def test_characters_that_no_font_has_are_shown_by_number(monkeypatch):
    monkeypatch.setattr(glyphs, "_system_fonts", lambda: [])
    fonts = choose_fonts(set("a日本"))
    assert fonts.missing == {"日", "本"}
    assert fonts.shown({"label": ["a日", 3, None]}) == {"label": ["a[U+65E5]", 3, None]}
    assert "2 characters" in fonts.note


def test_a_broken_font_of_the_system_is_passed_over(monkeypatch, tmp_path):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    monkeypatch.setattr(glyphs, "_system_fonts", lambda: [broken])
    assert choose_fonts({"日"}).missing == {"日"}
