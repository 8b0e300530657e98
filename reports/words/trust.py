"""Can the answer be trusted? The main points in short, for the first page."""

from reports.page.blocks import Rich, rich, strong
from reports.view.study import StudyView
from reports.words.facts import interim, rule_changed, rule_fixed

GOOD, WEAK = "✓", "!"
"""Signs of a point that speaks for the answer, and of one that limits it."""


def rule_point(view: StudyView) -> tuple[str, Rich]:
    """Return whether the rule was fixed before the trials."""
    ledger = view.table.ledger
    known = ledger is not None and ledger.fixed_before_trials and not rule_changed(view)
    return (GOOD if known else WEAK), rich(rule_changed(view) or rule_fixed(view))


def end_point(view: StudyView) -> tuple[str, Rich]:
    """Return whether the study is done."""
    if words := interim(view):
        return WEAK, words
    if not view.looks or len(view.seeds) >= view.looks[-1]:
        seeds = len(view.seeds)
        every = f"all {seeds} planned seeds" if seeds > 1 else "the only planned seed"
        return GOOD, rich(f"Final: {every} ran.")
    return GOOD, rich(
        f"Final: the study stopped as planned at its look after {len(view.seeds)} of up to "
        f"{view.looks[-1]} seeds."
    )


def trials_point(view: StudyView) -> tuple[str, Rich]:
    """Return how many trials finished, and what became of the others."""
    states = view.table.trials["status"].value_counts()
    done, every = int(states.get("finished", 0)), int(states.sum())
    rest = ", ".join(f"{n} {word}" for word, n in states.items() if word != "finished")
    if done == every:
        return GOOD, rich(f"{every} of {every} trials finished; none diverged.")
    return WEAK, rich(strong(f"{done} of {every} trials finished:"), f" {rest}.")


def in_short(point: Rich) -> Rich:
    """Return the heading of a threat and the first sentence after it."""
    head = [span for span in point if span.style == "strong"][:1]
    rest = point[point.index(head[0]) + 1 :] if head else point
    out = []
    for span in rest:
        text, stop, _ = span.text.partition(". ")
        out.append(type(span)(text + ("." if stop else ""), span.style, span.href))
        if stop:
            break
    return rich(*head, *out)
