"""The methods paragraph of a paper, with the facts of the study filled in."""

from reports.documents.plan import design_kind
from reports.page.blocks import Rich, code, rich
from reports.page.numbers import count, percent
from reports.view.shared import lengths, shared_words
from reports.view.study import StudyView
from reports.words.facts import (
    plan_narrowed,
    progress,
    rule_changed,
    rule_fixed,
    seeds_added,
    seeds_with_results,
)
from reports.words.judged import source_words
from reports.words.replicates import replicates_words
from reports.words.tuning import tuning_words
from reports.words.units import unit, units, units_in_full


def methods(view: StudyView) -> tuple[Rich, ...]:
    """Return paragraphs on design, outcome, and statistics.

    They are made from the plan, the ledger, and the trials.
    """
    return tuple(
        paragraph for paragraph in (_design(view), _outcome(view), _statistics(view)) if paragraph
    )


def _design(view: StudyView) -> Rich:
    """Return the paragraph on the design: arms, seeds, and what trials share."""
    kind = design_kind(view.study).replace("_", "-" if "_one_" in design_kind(view.study) else " ")
    trials = len(view.table.trials)
    now = progress(view)
    n_seeds, most = len(view.seeds), units_in_full(view)

    same = len(view.arms) * n_seeds == trials
    seeds = f"{'the same' if same else 'up to'} {most}" if n_seeds > 1 else "one seed"
    runs = f"{count(trials, 'training run')} in all"

    if now.interim:
        planned = count(now.seeds, f"planned {unit(view)}")
        seeds = f"up to {planned} ({now.seeds_done} done so far)"
        runs = f"{now.ended} of {count(now.trials, 'training run')} so far"

    return rich(
        f"We compared {count(len(view.arms), 'arm')} in a {kind} design over "
        f"{count(len(view.factors), 'factor')} (",
        view.factor_list(),
        f"), each with {seeds}, {runs}, of ",
        lengths(view),
        ". ",
        *((source, " ") if (source := source_words(view)) else ()),
        shared_words(view),
        *((" ", words) if (words := tuning_words(view)) else ()),
        *((" ", words) if (words := replicates_words(view)) else ()),
    )


def _outcome(view: StudyView) -> Rich:
    """Return the paragraph on the outcome and the rule of the verdicts."""
    rule = view.study["outcome"].get("degradation") or {}
    relative = percent(float(rule.get("relative", 0.10)))
    row = int(rule.get("patience", 1))
    patience = f"in {row} consecutive evaluations" if row > 1 else "in one evaluation"

    degraded = (
        f"A run counted as degraded when the outcome was worse than at step 0 by {relative} "
        f"{patience}. "
        if view.has_onsets
        else ""
    )
    margin = (
        f"; differences below {view.margin_words} were declared too small to matter"
        if view.margin
        else ""
    )
    scale = ", judged on a log scale, so that effects are ratios" if view.log else ""
    described = view.described(view.metric).get("description")

    return rich(
        "The primary outcome was ",
        code(view.metric),
        f" ({described}; {view.better} is better)" if described else f" ({view.better} is better)",
        f" {view.summary}{scale}{margin}. {degraded}{rule_fixed(view)}",
        *((" ", words) if (words := plan_narrowed(view)) else ()),
        *((" ", words) if (words := rule_changed(view)) else ()),
        *((" ", words) if (words := seeds_added(view)) else ()),
    )


def _statistics(view: StudyView) -> Rich:
    """Return the paragraph on the tests and corrections that the study used."""
    cells = view.analysis.cells
    terms, pairs = len(cells.design.compared), len(cells.design.interactions)
    statuses = view.table.trials["status"].value_counts()
    diverged = int(statuses.get("diverged", 0))

    confidence = f"{100 * (1 - view.alpha):.3g}%"
    parts = [
        f"Effects are contrasts of arm means within each {unit(view)}, with {confidence} "
        f"confidence intervals of Student's t over the {unit(view)}s.",
    ]
    if cells.network_of:
        parts.append(
            "The seeds of a network are averaged first, and all networks count equally, so that "
            f"{units_in_full(view)} are {len(cells.units)} independent differences."
        )
    if any(claim.test == "t by CR2" for claim in view.analysis.claims):
        parts.append(
            f"Where trials are missing, arms have means of their own and {unit(view)}s are blocks, "
            "with cluster-robust errors (CR2) and the degrees of freedom of Bell and McCaffrey."
        )

    if terms:
        parts.append(_budget(terms, pairs))
    parts.append(
        "A claim about a visibly skewed effect also needs Johnson's bound. "
        f"With fewer than ten {unit(view)}s, a strongly skewed effect can't be seen."
        if seeds_with_results(view) < 10
        else "A claim about a visibly skewed effect also needs Johnson's bound."
    )

    if diverged:
        parts.append(
            "Whether a level makes trials diverge was tested by Boschloo's exact test, two-sided, "
            "with Holm's correction. Means are taken only over settings in which no trial "
            "diverged."
        )
    if view.has_onsets:
        parts.append(
            "Time to degradation was estimated by Kaplan and Meier's method"
            + (f", with divergence ({count(diverged, 'run')}) as an event." if diverged else ".")
        )

    if view.looks:
        parts.append(_looks(view))
    return rich(" ".join(parts))


def _budget(terms: int, interactions: int) -> str:
    """Return how the tests share the error of 5%."""
    if not interactions:
        return (
            "All claims of this report share an error of 5%. The direction of each change is "
            f"tested at 4% divided by their number ({terms}), equivalence by two one-sided tests "
            "with Holm's correction at 4%."
        )
    return (
        "All claims of this report share an error of 5%. The direction of each average is tested "
        f"at 3% divided by their number ({terms}), equivalence by two one-sided tests with Holm's "
        f"correction at 3%, and {count(interactions, 'interaction')} at 1.4% in all. Effects at "
        "single levels are tested at the level of the interaction that opened them."
    )


def _looks(view: StudyView) -> str:
    """Return how seeds were added in planned looks."""
    planned = ", ".join(map(str, view.looks))
    spend = view.analysis.cells.rule.spend
    how = {
        "even": "evenly (as Pocock)",
        "middle": "by a t² rule",
        "late": "late (as O'Brien and Fleming)",
    }[spend]

    return (
        f"Looks were planned after {planned} {unit(view)}s. The error of every claim is spent over "
        f"them {how}, at levels simulated for t tests, so that several looks raise no more false "
        f"alarms than one. The study has {units(view)}."
    )
