"""The contact sheet of `check`: the suspicious images of datasets, with the reasons."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.study.nouns import StudyError
from g2g_base import atomic

if TYPE_CHECKING:
    from g2g_core.data.inspection import Inspection, Suspect
    from reports.page.blocks import Picture
    from reports.render.contact_sheet import Card, Sheet

SIDE = 96
"""Shortest side of a small picture, pixels."""
MOST_CARDS = 60
"""Limit for the cards per kind."""
MOST_PICTURES = 4
"""Limit for the pictures of a group of equal images."""


def write_sheet(path: Path, inspections: "Sequence[Inspection]") -> None:
    """Write the page; an earlier one is replaced, another file isn't.

    Args:
        path: the page.
        inspections: what was found, one per dataset.

    Raises:
        StudyError: the file exists and isn't such a page, or can't be written.
    """
    from reports.render.contact_sheet import to_contact_sheet
    from reports.render.html import is_page

    try:
        if path.exists() and not is_page(path):
            raise StudyError(f"--sheet: {path}: exists, and was not written by g2g-ablate")
        page = to_contact_sheet("Suspicious images", tuple(map(_sheet, inspections)))
        atomic.write_bytes(path, page.encode())
    except OSError as error:
        raise StudyError(f"--sheet: {path}: cannot be written: {error.strerror or error}") from None


def _sheet(inspection: "Inspection") -> "Sheet":
    from g2g_core.data.inspection import KINDS
    from g2g_core.data.pairs import shown
    from reports.render.contact_sheet import Group, Sheet

    groups = []
    for kind, name in KINDS.items():
        suspects = inspection.of_kind(kind)
        if suspects:
            cards = tuple(_card(inspection, suspect) for suspect in suspects[:MOST_CARDS])
            title = f"{name[0].upper()}{name[1:]}: {len(suspects)}"
            groups.append(Group(title, cards, len(suspects) - len(cards)))
    lines = (f"{inspection.images} images were checked.", *inspection.notes)
    return Sheet(shown(inspection.root), lines, tuple(groups))


def _card(inspection: "Inspection", suspect: "Suspect") -> "Card":
    from g2g_core.data.pairs import shown
    from reports.render.contact_sheet import Card

    files = suspect.files[:MOST_PICTURES]
    more = len(suspect.files) - len(files)
    return Card(
        tuple((_picture(Path(inspection.root) / file), shown(file)) for file in files),
        suspect.why + (f"; and {more} more files" if more else ""),
    )


def _picture(path: Path) -> "Picture | None":
    """Return a small picture of an image, or None if the image can't be read."""
    from PIL import Image

    from g2g_core.data.decode import BadImage, quiet_decoding, read_image
    from g2g_core.data.pairs import shown
    from reports.page.blocks import Picture

    try:
        with quiet_decoding():
            pixels = read_image(path, SIDE)
    except BadImage:
        return None
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=85)
    height, width = pixels.shape[:2]
    return Picture(file.getvalue(), width, height, f"the image {shown(path.name)}")
