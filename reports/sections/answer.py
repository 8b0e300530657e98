"""The first page: the answer to the question in the title, followed by the numbers."""

from reports.page.blocks import Beside, Block, Rich, Section, Text, rich
from reports.page.numbers import duration
from reports.sections.curves import first_page_curve
from reports.sections.images import end_pictures
from reports.sections.verdict_table import verdict_table
from reports.view.shared import lengths
from reports.view.study import StudyView
from reports.words.answer import lead, others
from reports.words.facts import status_words


def answer(view: StudyView) -> Section:
    """Show verdict, effect, interval, and onset of each factor, in words and in a table."""
    words: list[Block] = [Text(lead(view), "lead")]
    words += [Text(other) for other in others(view)]
    words.append(Text(facts(view), "note"))

    curve = first_page_curve(view)
    if curve is not None:
        words.append(curve)

    pictures = end_pictures(view)
    top: tuple[Block, ...] = (Beside(tuple(words), (pictures,), 0.7),) if pictures else tuple(words)

    table = verdict_table(view)
    return Section("answer", "Answer", "Answer", (*top, *((table,) if table else ())))


def facts(view: StudyView) -> Rich:
    """Return how big the study is, and how long its training took."""
    seconds = view.table.trials["seconds"].sum() if "seconds" in view.table.trials else 0.0
    cost = (
        rich(" Training: ", lengths(view), f"; {duration(float(seconds))} in all.")
        if seconds
        else ()
    )
    return rich(status_words(view), cost)
