"""The choice of fonts for a document, so that paper shows every character."""

import os
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTFont

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
    own = _own_fonts()
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


def _own_fonts() -> Path:
    """Return the folder of the DejaVu fonts that matplotlib brings, without importing it."""
    package = find_spec("matplotlib")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "mpl-data" / "fonts" / "ttf"


def _font_folders() -> list[Path]:
    """Return where fonts are installed on Linux and macOS, for all users and for this one."""
    if sys.platform == "darwin":
        places = [Path("/System/Library"), Path("/Library"), Path.home() / "Library"]
        return [place / "Fonts" for place in places]

    data = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    own = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    places = [*map(Path, data.split(":")), Path(own)]
    return [*(place / "fonts" for place in places), Path.home() / ".fonts"]


def _system_fonts() -> list[Path]:
    """Return the system's TrueType and OpenType files, fallback fonts first, then by name."""
    paths = {
        path
        for folder in _font_folders()
        for path in folder.rglob("*")
        if path.suffix.lower() in (".ttf", ".otf", ".ttc")
    }
    return sorted(
        paths,
        key=lambda path: (
            not any(w in path.name for w in ("Fallback", "CJK", "Gothic")),
            path.name,
            path,
        ),
    )


@cache
def _characters(path: Path) -> frozenset[str]:
    """Return the characters that a font has; none for a file that can't be read."""
    # A broken font of the system must not stop the report; it counts as absent. What fontTools
    # raises depends on where the file is broken.
    try:
        # Opened here, because fontTools leaves the file of a broken font open.
        with path.open("rb") as file, TTFont(file, fontNumber=0, lazy=True) as font:
            return frozenset(map(chr, font.getBestCmap() or ()))
    except Exception:
        return frozenset()


def _family(path: Path) -> str:
    """Return the family name that typst knows a font by; empty if it has none."""
    with TTFont(path, fontNumber=0, lazy=True) as font:
        names = font["name"]
        return names.getDebugName(16) or names.getDebugName(1) or ""
