"""The first page: the answer, the pictures that show it, a card for each change, and doubts."""

from reports.page.blocks import Beside, Block, Box, Bullets, Rich, Section, Text, rich
from reports.page.numbers import duration
from reports.sections.cards import cards
from reports.sections.curves import first_page_curve
from reports.sections.images import end_pictures
from reports.sections.trust import weak_points
from reports.view.shared import lengths
from reports.view.study import StudyView
from reports.words.facts import missing, status_words
from reports.words.first_page import definition, lede, status, title
from reports.words.next import next_experiment
from reports.words.plainly import capital
from reports.words.trust import WEAK, end_point, in_short, rule_point, trials_point

MOST_POINTS = 3
"""Weak points that the first page names; the section on trust has all."""


def answer(view: StudyView) -> Section:
    """Show what the study found out in one sentence, in pictures, and for each change."""
    words: list[Block] = [title(view)]
    if now := status(view):
        words.append(Text(now))
    if more := lede(view):
        words.append(Text(more, "lead"))
    if lost := missing(view):
        words.append(Text(lost))
    words += [Text(definition(view), "aside"), Text(facts(view), "note")]
    if description := view.study.get("description"):
        words.append(Text(rich(description), "note"))

    pictures = end_pictures(view)
    top: tuple[Block, ...] = (Beside(tuple(words), pictures, 0.52),) if pictures else tuple(words)
    boxes: tuple[Block, ...] = (_trust(view), Box("Next experiment", (Text(_next(view)),)))
    curve = first_page_curve(view)
    bottom: tuple[Block, ...] = (Beside((curve,), boxes, 0.55),) if curve else boxes
    return Section("answer", "Answer", "Answer", (*top, *cards(view), *bottom))


def _trust(view: StudyView) -> Box:
    """Return what speaks for the answer, and what limits it."""
    points = [rule_point(view), end_point(view), trials_point(view)]
    weak = [(WEAK, in_short(point)) for point in weak_points(view)]
    points += weak[:MOST_POINTS]
    marks, items = zip(*points, strict=True)
    return Box("Can I trust this?", (Bullets(tuple(items), tuple(marks)),))


def _next(view: StudyView) -> Rich:
    """Return what to run next, without the word that starts the sentence in a list."""
    words = next_experiment(view)
    head = words[0].text
    if not head.startswith("Next") or len(words) < 2:
        return words
    rest = rich(*words[1:])
    first = type(rest[0])(rest[0].text.lstrip(), rest[0].style, rest[0].href)
    return capital(rich(first, *rest[1:]))


def facts(view: StudyView) -> Rich:
    """Return how big the study is, and how long its training took."""
    seconds = view.table.trials["seconds"].sum() if "seconds" in view.table.trials else 0.0
    cost = (
        rich(" Training: ", lengths(view), f"; {duration(float(seconds))} in all.")
        if seconds
        else ()
    )
    return rich(status_words(view), cost)
