"""Can the answer be trusted? Weak points that the data reveal, and verdicts by other methods."""

from reports.claims.estimates import FEWEST_SEEDS
from reports.page.blocks import Bullets, Rich, Section, code, joined, rich, strong
from reports.page.numbers import count, p_value
from reports.sections.robustness import robustness
from reports.view.patches import changing
from reports.view.shared import TRAINING, different_words, yardstick_words
from reports.view.study import StudyView
from reports.words.devices import pooled_words
from reports.words.estimates import number
from reports.words.facts import expectations, interim, rule_changed, rule_fixed, seeds_with_results
from reports.words.judged import judged_threats
from reports.words.next import next_experiment
from reports.words.replicates import network_threat
from reports.words.tuning import edge_words
from reports.words.units import unit


def trust(view: StudyView) -> Section:
    """Show each weak point that the data reveal, the next study, and verdicts by other methods."""
    points = Bullets((*weak_points(view), next_experiment(view)))
    return Section("trust", "Can I trust this?", "Trust", (points, *robustness(view)))


def weak_points(view: StudyView) -> tuple[Rich, ...]:
    """Return each weak point of the study that the data reveal, the most important first."""
    points = [point for test in TESTS if (point := test(view))]
    points[1:1] = judged_threats(view)
    return tuple(points)


def _few_seeds(view: StudyView) -> Rich | None:
    """Return the smallest p that this many paired seeds can reach."""
    n = seeds_with_results(view)
    if not 0 < n < 10:
        return None

    one = unit(view)
    if n < 2:
        return rich(
            strong(f"One {one}."),
            f" Without a second {one}, a difference can't be compared with chance. There are no "
            "intervals or verdicts.",
        )

    if n < FEWEST_SEEDS:
        return rich(
            strong(f"Two {one}s."), f" Two {one}s may agree by chance, so there are no verdicts."
        )
    return rich(
        strong(f"Few {one}s."),
        f" With {count(n, one)}, an exact test can't reach a p below {p_value(2 / 2**n)}. The "
        f"intervals assume that differences between {one}s are roughly normal; a strongly skewed "
        "effect can't be seen.",
    )


def _missing(view: StudyView) -> Rich | None:
    """Return which trials have no result, because they are rarely missing by chance."""
    rest = view.table.trials[view.table.trials["status"] != "finished"]
    if not len(rest) or interim(view):
        return None

    labels = sorted({view.arm_of[c].label for c in map(str, rest["cell_id"]) if c in view.arm_of})
    noun = "arm" if len(labels) == 1 else "arms"
    names = (
        rich(f"{noun} ", joined([code(label) for label in labels]))
        if len(labels) <= 4
        else rich(f"{len(labels)} arms")
    )

    verb = "has" if len(rest) == 1 else "have"
    return rich(
        strong("Missing trials."),
        f" {count(len(rest), 'trial')} {verb} no result (",
        names,
        "). If an arm causes trials to diverge or fail, its mean looks better than it is.",
    )


def _fragile(view: StudyView) -> Rich | None:
    """Return the verdicts that one seed decides."""
    checks = view.analysis.checks
    rows = (
        checks[(checks["hangs_on_seeds"] != "") & (checks["verdict"] != "not enough data")]
        if len(checks)
        else checks
    )
    if not len(rows):
        return None

    first = rows.iloc[0]
    seeds = str(first["hangs_on_seeds"]).split()
    rest = len(rows) - 1
    more = f" So {'does' if rest == 1 else 'do'} {count(rest, 'other verdict')}." if rest else ""
    one = unit(view)
    several = f"one of the {one}s {', '.join(seeds)} is"
    noun = f"{one} {seeds[0]} is" if len(seeds) == 1 else several
    return rich(
        strong(f"One {one} decides."),
        " The verdict on ",
        code(str(first["factor"])),
        f" changes if {noun} left out.{more}",
    )


def _bounds(view: StudyView) -> Rich | None:
    """Return a verdict that the results of missing trials could reverse."""
    for row in view.analysis.checks.to_dict("records"):
        low, high = number(row["worst_low"]), number(row["worst_high"])
        if (
            str(row["verdict"]).split(" ")[0] in ("harms", "helps")
            and low is not None
            and high is not None
            and low < 0 < high
        ):
            return rich(
                strong("Missing trials could change a verdict."),
                " Whatever the missing trials would have been, the effect of ",
                code(str(row["factor"])),
                f" can be {view.effects.interval(low, high)}; that includes effects of the other "
                "sign.",
            )
    return None


def _rule(view: StudyView) -> Rich | None:
    """Say that the rule was changed after results, or that it is unknown when it was fixed."""
    if changed := rule_changed(view):
        return changed
    ledger = view.table.ledger
    if ledger is None or ledger.fixed_before_trials:
        return None
    return rich(strong("Rule not registered."), f" {rule_fixed(view)}")


def _expected(view: StudyView) -> Rich | None:
    """Return what was registered, and what the result was."""
    return expectations(view) or None


def _budgets(view: StudyView) -> Rich | None:
    """Say that trials trained for different numbers of steps, which affects comparisons."""
    done = view.table.trials[view.table.trials["status"] == "finished"]
    if "steps_done" not in done or done["steps_done"].nunique() <= 1:
        return None

    steps = sorted(int(value) for value in done["steps_done"].unique())
    text: tuple[str | Rich, ...] = (
        f" Finished trials trained for {steps[0]} to {steps[-1]} steps.",
    )

    if planned := changing(view.study, "steps"):
        factors = joined(map(code, planned))
        text += (
            " The length is a level of ",
            factors,
            ": what differs there may be the length's doing.",
        )

    if view.study.get("base", {}).get("stop_beyond"):
        text += (
            " Those stopped beyond a bound count with their values then: had they gone on, they "
            "would probably lie farther out, so their harm is rather larger than it is said to "
            "be.",
        )
    return rich(strong("Different training lengths."), *text)


def _evaluation(view: StudyView) -> Rich | None:
    """Say that trials were evaluated differently, which adds to their differences."""
    sentences = yardstick_words(view)
    return (
        rich(strong("Evaluated differently."), *(rich(" ", words) for words in sentences))
        if sentences
        else None
    )


def _devices(view: StudyView) -> Rich | None:
    """Say that trials of several devices are compared."""
    words = pooled_words(view)
    return rich(strong("Several devices."), words) if words else None


def _start(view: StudyView) -> Rich | None:
    """Say that trials with the same seed start differently or see other data."""
    sentences = different_words(view, TRAINING)
    if not sentences:
        return None
    end = " Trials with the same seed share less there, so comparisons are noisier."
    return rich(strong("Weaker pairing."), *(rich(" ", words) for words in sentences), end)


def _drift(view: StudyView) -> Rich | None:
    """Say that the reference changes too, so effects are not changes since step 0."""
    if view.reference is None:
        return None

    trials = view.table.trials
    finished = set(trials.loc[trials["status"] == "finished", "trial_id"])
    curves = [
        curve for t in view.reference.trials if t in finished and (curve := view.curves.get(t))
    ]
    if not curves:
        return None

    change = sum(curve[-1][1] - curve[0][1] for curve in curves) / len(curves)
    limit = view.margin or 0.1 * abs(sum(curve[0][1] for curve in curves) / len(curves))
    if abs(change) <= limit / 2:
        return None

    worse = (change > 0) == (view.better == "lower")
    return rich(
        strong("The reference changes too."),
        f" It gets {'worse' if worse else 'better'} by {view.scale.fixed(abs(change))} between "
        "step 0 and its last evaluation. Effects are measured against the reference, not against "
        "step 0.",
    )


def _no_margin(view: StudyView) -> Rich | None:
    """Say that the study names no smallest effect that matters."""
    if view.margin is not None:
        return None
    return rich(
        strong("No margin."),
        f" The {'question' if view.judged else 'study file'} names no smallest effect that "
        "matters, so nothing can be called equivalent, and a tiny difference can be called harm.",
    )


def _one_dataset(view: StudyView) -> Rich | None:
    """Say that the results hold for one program, dataset, or training length only."""
    if view.foreign:
        scope = (
            f" All that is said holds for this {view.foreign}, its data and the options of this "
            "study; no other was tried."
        )
        return rich(strong(f"One {view.foreign}."), scope)

    one_set = not (changing(view.study, "dataset") or changing(view.study, "data"))
    one_length = not changing(view.study, "steps")
    if not one_set and not one_length:
        return None

    words = [
        text
        for text, true in (("one dataset", one_set), ("one training length", one_length))
        if true
    ]
    where = f"{view.planned_steps} steps" if one_length else "these training lengths"
    on = "this dataset" if one_set else "these datasets"
    return rich(
        strong(f"{', '.join(words).capitalize()}."),
        f" The results hold for {on} and {where}. Nothing else was tested.",
    )


TESTS = (
    *(_rule, _expected, network_threat, _few_seeds, _fragile, _missing, _bounds, _budgets),
    *(_evaluation, edge_words, _devices, _start, _drift, _no_margin, _one_dataset),
)
"""The tests in the order of their points in the report."""
