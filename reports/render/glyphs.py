"""The choice of fonts for a document, so that paper shows every character."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

IGNORED = {"\u200b", "\u00ad", "\n", "\r", "\t"}
"""Characters without a glyph of their own."""


@dataclass(frozen=True)
class Fonts:
    """The fonts that a document is set in.

    Attributes:
        folders: font files and folders for typst.
        extra: families that typst tries after the usual ones.
        missing: characters that no font has.
        note: what the reader needs to know; empty if the usual fonts suffice.
    """

    folders: tuple[Path, ...]
    extra: tuple[str, ...]
    missing: frozenset[str]
    note: str

    def shown(self, value: Any) -> Any:
        """Return the same data with each missing character as its number, such as `[U+65E5]`."""
        if isinstance(value, str):
            if self.missing.isdisjoint(value):
                return value
            return "".join(
                f"[U+{ord(char):04X}]" if char in self.missing else char for char in value
            )
        if isinstance(value, dict):
            return {key: self.shown(item) for key, item in value.items()}
        return [self.shown(item) for item in value] if isinstance(value, list | tuple) else value


def choose_fonts(characters: set[str]) -> Fonts:
    """Return the fonts for a document with these characters.

    matplotlib's DejaVu fonts are always included. Where they lack a character, fonts of the system
    that have it are added.
    """
    own = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    rest = {c for c in characters - IGNORED if ord(c) >= 32} - _characters(own / "DejaVuSans.ttf")
    if not rest:
        return Fonts((own,), (), frozenset(), "")

    folders, families = [own], []
    for path in _system_fonts():
        covered = rest & _characters(path)
        if covered and (family := _family(path)):
            folders.append(path.parent)
            families.append(family)
            rest -= covered
        if not rest:
            break

    note = ""
    if families:
        note = (
            f"Characters outside the report's own fonts are set in {', '.join(families)} "
            "of the system that made it. "
        )
    if rest:
        note += f"{len(rest)} characters are in no font at hand and are shown by their number: U+…"
    return Fonts(tuple(dict.fromkeys(folders)), tuple(families), frozenset(rest), note.strip())


def _system_fonts() -> list[Path]:
    """Return the system's TrueType and OpenType files, fallback fonts first, then by name."""
    paths = [Path(name) for name in font_manager.findSystemFonts()]
    return sorted(
        paths,
        key=lambda path: (
            not any(w in path.name for w in ("Fallback", "CJK", "Gothic")),
            path.name,
        ),
    )


@cache
def _characters(path: Path) -> frozenset[str]:
    """Return the characters that a font has; none for a file that can't be read."""
    try:
        return frozenset(chr(number) for number in FT2Font(str(path)).get_charmap())
    except (OSError, RuntimeError):
        # A broken font of the system must not stop the report; it counts as absent.
        return frozenset()


def _family(path: Path) -> str:
    """Return the family name that typst knows a font by."""
    return FT2Font(str(path)).family_name
