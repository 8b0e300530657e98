"""The methods paragraph of a paper, with the facts of the study filled in."""

from reports.analysis import design_kind
from reports.document import Rich, code, rich
from reports.numbers import count, percent
from reports.shared import lengths, shared_words
from reports.view import StudyView


def methods(view: StudyView) -> tuple[Rich, ...]:
    """Paragraphs on design, outcome and statistics, made from the plan."""
    return tuple(paragraph for paragraph in (_design(view), _outcome(view), _statistics(view)) if paragraph)


def _design(view: StudyView) -> Rich:
    kind = design_kind(view.study).replace("_", " ")
    trials = len(view.table.trials)
    start = f"We compared {count(len(view.arms), 'arm')} in a {kind} design over {count(len(view.factors), 'factor')} ("
    return rich(
        start,
        view.factor_list(),
        f"), each with {_seeds(view)}, {count(trials, 'training run')} in all, of ",
        lengths(view),
        ". ",
        shared_words(view),
    )


def _seeds(view: StudyView) -> str:
    n = len(view.seeds)
    return f"the same {n} random seeds" if n > 1 else "one random seed"


def _outcome(view: StudyView) -> Rich:
    rule = view.study["outcome"].get("degradation") or {}
    relative = percent(float(rule.get("relative", 0.10)))
    row = int(rule.get("patience", 1))
    patience = f"in {row} consecutive evaluations" if row > 1 else "in one evaluation"
    margin = (
        f"; differences below {view.scale.fixed(view.margin)} were declared too small to matter" if view.margin else ""
    )
    described = view.described(view.metric).get("description")
    return rich(
        "The primary outcome was ",
        code(view.metric),
        f" ({described}; {view.better} is better)" if described else f" ({view.better} is better)",
        f" {view.summary}{margin}. A run counted as degraded when the outcome was worse than at step 0 by {relative} "
        f"{patience}. Outcome and decision rule were fixed before the runs "
        f"(plan {str(view.study.get('hash', ''))[:12]}).",
    )


def _statistics(view: StudyView) -> Rich:
    statuses = view.table.trials["status"].value_counts()
    bad = int(statuses.get("diverged", 0))
    text = (
        f"Differences are paired by seed and averaged over {view.averaged_over}; we give "
        f"{100 * (1 - view.alpha):.3g} % confidence intervals and p values corrected by Holm's method. "
        "Equivalence was tested before harm. Time to degradation "
        "was estimated by Kaplan and Meier's method"
    )
    text += f", with divergence ({count(bad, 'run')}) as an event." if bad else "."
    return rich(text + (f" {_looks(view)}" if view.looks else ""))


def _looks(view: StudyView) -> str:
    """How seeds were added."""
    planned = ", ".join(map(str, view.looks))
    return (
        f"Seeds were added until every factor had its verdict, with looks after {planned} seeds; each look tested at "
        f"{view.alpha:.4g}, which keeps the chance of any false alarm over all factors and looks at 0.05 (Pocock's "
        f"constant, by simulation for t tests). The study has {count(len(view.seeds), 'seed')}."
    )
