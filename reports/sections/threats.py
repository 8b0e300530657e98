"""Should I believe it? Weak points of this study, found in its own data, and the next experiment."""

from collections.abc import Iterable

import pandas as pd

from reports.divergence import DivergedArm, Diverging, diverging, diverging_arms
from reports.document import Bullets, Rich, Section, Span, code, joined, rich, strong
from reports.estimates import number
from reports.numbers import count, p_value
from reports.patches import changing, levels_of, raised
from reports.shared import TRAINING, different_words, yardstick_words
from reports.view import StudyView

CURES = {"losses.": "a smaller weight", "lr_": "a smaller learning rate"}
"""Start of a path that a level raises -> what to try where trials diverge."""

CERTAIN = 3
"""Trials which, when all diverge, say that more seeds would do so too."""


def threats(view: StudyView) -> Section:
    """What could be wrong, each point only when the data show it; then what to run next."""
    points = [point for test in TESTS if (point := test(view))]
    points.append(next_experiment(view))
    return Section("threats", "What could be wrong with this?", "Threats", (Bullets(tuple(points)),))


def _few_seeds(view: StudyView) -> Rich | None:
    """The smallest p that this many paired seeds can give."""
    n = len(view.seeds)
    if n >= 10:
        return None
    if n < 2:
        return rich(
            strong("One seed."),
            " There is no spread to compare a difference with: no interval and no verdict is possible.",
        )
    return rich(
        strong(f"{count(n, 'seed')}."),
        f" An exact test on {n} paired seeds can't give a p below {p_value(2 / 2**n)}; "
        "intervals rest on t over the seeds' means.",
    )


def _missing(view: StudyView) -> Rich | None:
    """Missing trials are rarely missing by chance."""
    rest = view.table.trials[view.table.trials["status"] != "finished"]
    if not len(rest):
        return None
    labels = sorted({view.arm_of[c].label for c in map(str, rest["cell_id"]) if c in view.arm_of})
    names = joined(labels[:4]) if len(labels) <= 4 else rich(f"{len(labels)} arms")
    return rich(
        strong("Missing trials."),
        f" {count(len(rest), 'trial')} without a result, in ",
        names,
        ". If an arm makes trials diverge or fail, its mean looks better than it is.",
    )


def _hanging(view: StudyView) -> Rich | None:
    """Verdicts that one seed decides."""
    checks = view.analysis.checks
    rows = checks[checks["hangs_on_seeds"] != ""] if len(checks) else checks
    if not len(rows):
        return None
    names = joined(code(str(name)) for name in rows["factor"])
    return rich(
        strong("One seed decides."), " Without some single seed the verdict on ", names, " would be another one."
    )


def _bounds(view: StudyView) -> Rich | None:
    """Verdicts that missing trials could turn."""
    for row in view.analysis.checks.to_dict("records"):
        low, high = number(row["worst_low"]), number(row["worst_high"])
        if row["verdict"] in ("harms", "helps") and low is not None and high is not None and low < 0 < high:
            return rich(
                strong("A difference could hang on missing trials."),
                " With any outcome that the study saw in their place, the effect of ",
                code(str(row["factor"])),
                f" could lie anywhere in {view.scale.interval(low, high)}.",
            )
    return None


def _budgets(view: StudyView) -> Rich | None:
    """Arms that trained for different numbers of steps are not compared at one budget."""
    done = view.table.trials[view.table.trials["status"] == "finished"]
    if "steps_done" not in done or done["steps_done"].nunique() <= 1:
        return None
    steps = sorted(int(value) for value in done["steps_done"].unique())
    text: tuple[str | Rich, ...] = (f" Finished trials trained for {steps[0]} to {steps[-1]} steps.",)
    if planned := changing(view.study, "steps"):
        factors = joined(map(code, planned))
        text += (" The length is a level of ", factors, ": what differs there may be the length's doing.")
    if view.study.get("base", {}).get("stop_beyond"):
        text += (
            " Those stopped beyond a bound count with their values then: had they gone on, they would probably lie "
            "farther out, so their harm is rather larger than it is said to be.",
        )
    return rich(strong("Unequal budgets."), *text)


def _yardstick(view: StudyView) -> Rich | None:
    """Levels whose trials are evaluated otherwise differ by more than what was trained."""
    sentences = yardstick_words(view)
    return rich(strong("Not one yardstick."), *(rich(" ", words) for words in sentences)) if sentences else None


def _start(view: StudyView) -> Rich | None:
    """Trials of one seed that do not start alike, or see other data, are paired in less."""
    found = different_words(view, TRAINING)
    if not found:
        return None
    end = " Trials of one seed are paired in the rest only, so seeds cancel less."
    return rich(strong("Pairs that share less."), *(rich(" ", words) for words in found), end)


def _drift(view: StudyView) -> Rich | None:
    """The reference changes as well, so a level is not a change since step 0."""
    if view.reference is None:
        return None
    trials = view.table.trials
    finished = set(trials.loc[trials["status"] == "finished", "trial_id"])
    curves = [curve for t in view.reference.trials if t in finished and (curve := view.curves.get(t))]
    if not curves:
        return None
    change = sum(curve[-1][1] - curve[0][1] for curve in curves) / len(curves)
    limit = view.margin or 0.1 * abs(sum(curve[0][1] for curve in curves) / len(curves))
    if abs(change) <= limit / 2:
        return None
    worse = (change > 0) == (view.better == "lower")
    return rich(
        strong("The reference drifts."),
        f" It gets {'worse' if worse else 'better'} by {view.scale.signed(change)} from step 0 to its last evaluation; "
        "effects are differences to it, not to step 0.",
    )


def _no_margin(view: StudyView) -> Rich | None:
    if view.margin is not None:
        return None
    return rich(
        strong("No smallest effect that matters"),
        " is named in the study file: “equivalent” can't be said, and a tiny difference can be called harm.",
    )


def _one_data_set(view: StudyView) -> Rich | None:
    if view.command:
        told = " All that is said holds for this program, its data and the options of this study; no other was tried."
        return rich(strong("One program."), told)
    one_set = not (changing(view.study, "dataset") or changing(view.study, "data"))
    one_length = not changing(view.study, "steps")
    if not one_set and not one_length:
        return None
    words = [text for text, said in (("one data set", one_set), ("one length of training", one_length)) if said]
    where = f"{view.planned_steps} steps" if one_length else "these lengths"
    on = "on the data of this study" if one_set else "on these data"
    return rich(
        strong(f"{', '.join(words).capitalize()}."),
        f" All that is said holds for {where} {on}; it was not tried elsewhere.",
    )


TESTS = (_few_seeds, _hanging, _missing, _bounds, _budgets, _yardstick, _start, _drift, _no_margin, _one_data_set)
"""In the order in which they are told."""


def next_experiment(view: StudyView) -> Rich:
    """The experiment that would decide what is open."""
    verdicts = view.analysis.verdicts
    if not (view.table.trials["status"] == "finished").any():
        return _nothing_finished(view)
    diverged, arms = diverging(view), diverging_arms(view)
    unsure = verdicts[verdicts["verdict"] == "not enough data"]
    unsure = unsure[[not any(_about(view, name, at) for at in diverged) for name in unsure["factor"]]]
    if diverged or arms:
        besides = (" Besides,", _seeds(view, unsure)) if len(unsure) else ()
        return rich(strong("Next:"), _instead(view, diverged, arms), *besides)
    if len(unsure):
        return rich(strong("Next:"), _seeds(view, unsure))
    if unmoved := view.analysis.idle:
        return rich(strong("Next:"), " find out why ", joined(map(code, unmoved)), " did nothing in these trials.")
    return rich(
        strong("Next:"), " the same study on other data, and longer, would tell whether the answer carries over."
    )


def _about(view: StudyView, name: str, at: Diverging) -> bool:
    """Whether a verdict compares a level at which trials diverge."""
    factor, level = view.split(name)
    return factor == at.factor and (level in (None, at.level) or at.level == view.first(factor))


def _nothing_finished(view: StudyView) -> Rich:
    """What to do when there is no result at all: what diverged would do so again."""
    diverged = int((view.table.trials["status"] == "diverged").sum())
    if diverged == len(view.table.trials):
        return rich(strong("Next:"), " all trials diverged: smaller learning rates, or smaller weights of the losses.")
    return rich(strong("Next:"), " find out why no trial finished; the same command then runs the missing ones.")


def _seeds(view: StudyView, unsure: pd.DataFrame) -> Rich:
    """How many seeds would decide these verdicts."""
    names = joined(code(str(name)) for name in unsure["factor"])
    n = len(view.seeds)
    checks = view.analysis.checks
    known = [s for s in checks.loc[checks["factor"].isin(unsure["factor"]), "seeds_needed"].map(number) if s]
    if view.margin and known and max(known) > n:
        effect = view.scale.fixed(view.margin)
        return rich(f" {max(known):.0f} seeds instead of {n} would show an effect of {effect} for ", names, ".")
    return rich(f" more than {count(n, 'seed')} for ", names, ".")


def _instead(view: StudyView, diverged: list[Diverging], arms: list[DivergedArm]) -> Rich:
    """What helps where trials diverge; that seeds do not only where so many diverged that it is no chance."""
    places: dict[str, list[Span]] = {}
    for at in diverged:
        before = at.beside if at.beside in levels_of(view.study, at.factor) else at.level
        places.setdefault(_cure(view, [(at.factor, before, at.level)]), []).append(code(f"{at.factor}={at.level}"))
    for arm, _ in arms:
        moves = [(factor, view.first(factor), level) for factor, level in arm.levels.items()]
        places.setdefault(_cure(view, moves), []).append(code(arm.label))
    cures = [rich(cure, " at ", joined(where)) for cure, where in places.items()]
    noun = " or ".join(word for word, found in (("level", diverged), ("arm", arms)) if found)
    those = f"that {noun}" if len(diverged) + len(arms) == 1 else f"those {noun.replace(' or ', 's or ')}s"
    advice = joined((*cures, f"or a study without {those}"), last=", ")
    certain = all(at.ended >= CERTAIN or at.p_adjusted < view.alpha for at in diverged)
    if certain and all(lost.many >= CERTAIN for lost in arms):
        return rich(" more seeds do not help where trials diverge: ", advice, ".")
    return rich(" more seeds; if they diverge as well, ", advice, ".")


def _cure(view: StudyView, moves: Iterable[tuple[str, str, str]]) -> str:
    """What to change where these factors move from one level to another and trials diverge."""
    paths = {path for factor, before, level in moves for path in raised(view.study, factor, before, level)}
    found = [words for start, words in CURES.items() if any(path.startswith(start) for path in paths)]
    return " or ".join(found) or "other settings"
