import subprocess
import sys

import pytest
from fontTools.fontBuilder import FontBuilder

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


@pytest.mark.skipif(sys.platform == "darwin", reason="the folders of Linux")
def test_a_font_that_a_user_installs_is_used(monkeypatch, tmp_path):
    """A font that has one character more than the report's own fonts."""
    folder = tmp_path / "fonts" / "more"
    folder.mkdir(parents=True)
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "moon"])
    builder.setupCharacterMap({ord("月"): "moon"})
    builder.setupNameTable({"familyName": "Moon Sans", "styleName": "Regular"})
    builder.save(folder / "moon.otf")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    fonts = choose_fonts(set("a月"))
    assert fonts.extra == ("Moon Sans",)
    assert folder in fonts.folders
    assert fonts.missing == frozenset()


def test_choosing_fonts_does_not_import_matplotlib():
    code = (
        "import sys; from reports.render.glyphs import choose_fonts; choose_fonts({'日'}); "
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
