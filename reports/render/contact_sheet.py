"""A page of pictures with the reason for each, as one HTML file without script."""

from dataclasses import dataclass

from reports.page.blocks import Picture
from reports.page.theme import DARK, LIGHT, css_variables
from reports.render.html import GENERATOR, environment, template


@dataclass(frozen=True)
class Card:
    """One picture, or several that belong together.

    Attributes:
        pictures: the pictures, each with the name of its file; None where there is no picture.
        why: one line.
    """

    pictures: tuple[tuple[Picture | None, str], ...]
    why: str


@dataclass(frozen=True)
class Group:
    """Cards under one heading.

    Attributes:
        title: the heading.
        cards: the cards that are shown.
        hidden: number of further cards that aren't shown.
    """

    title: str
    cards: tuple[Card, ...]
    hidden: int = 0


@dataclass(frozen=True)
class Sheet:
    """One dataset of a contact sheet.

    Attributes:
        title: the heading.
        lines: sentences under it.
        groups: the groups.
    """

    title: str
    lines: tuple[str, ...]
    groups: tuple[Group, ...]


def to_contact_sheet(title: str, sheets: tuple[Sheet, ...]) -> str:
    """Return the page; identical sheets give identical pages.

    Args:
        title: the title of the page.
        sheets: one per dataset.
    """
    light, dark = css_variables(LIGHT), css_variables(DARK)
    colors = f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
    page = environment().get_template("contact_sheet.html.j2")
    return page.render(
        title=title,
        sheets=sheets,
        generator=GENERATOR,
        style=colors + template("contact_sheet.css"),
    )
