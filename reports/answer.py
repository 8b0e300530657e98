"""The answer in words. Every sentence with a number is made from the numbers."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from reports.divergence import diverging, diverging_arms
from reports.document import Rich, Span, code, joined, rich, strong
from reports.estimates import number, outcomes
from reports.numbers import count, p_value
from reports.view import Arm, Event, StudyView, fall

CHANGES = {"harms": "worse", "helps": "better"}
"""Verdicts that say a factor changes the metric, the one to tell first before the other."""


def onset_words(view: StudyView, arms: tuple[Arm, ...]) -> str:
    """`5 of 5 seeds, median step 250`, `2 of 2 seeds diverged, median step 31`; how many of these arms' trials fell."""
    events, _ = _events(view, arms)
    counted, *step = onset_parts(view, arms)
    diverged = " diverged" if {event.kind for event in events} == {"diverged"} else ""
    return ", ".join((counted + diverged, *step))


def onset_parts(view: StudyView, arms: tuple[Arm, ...]) -> tuple[str, ...]:
    """`5 of 5 seeds` and, where one fell, `median step 250`; an empty text where no trial has ended."""
    events, trials = _events(view, arms)
    counted = f"{len(events)} of {count(trials, 'seed' if len(arms) == 1 else 'trial')}" if trials else ""
    return (counted, f"median step {median(event.step for event in events):.0f}") if events else (counted,)


def _events(view: StudyView, arms: tuple[Arm, ...]) -> tuple[list[Event], int]:
    """The events of these arms' trials, and how many trials have ended."""
    trials = [trial for arm in arms for trial in _watched(view, arm)]
    return [view.events[trial] for trial in trials if trial in view.events], len(trials)


def lead(view: StudyView) -> Rich:
    """What diverges; then what harms, by how much, from when on, or that nothing does, or that nobody can say."""
    return rich(_diverged(view), _told(view))


def _told(view: StudyView) -> Rich:
    """The same of the trials that finished."""
    verdicts = view.analysis.verdicts
    finished = int((view.table.trials["status"] == "finished").sum())
    if not finished:
        return rich(f"No trial finished: {count(len(view.table.trials), 'trial')}, none with a result.")
    if not len(verdicts):
        return _without_factors(view)
    told = told_first(view)
    if told:
        rows = verdicts[verdicts["verdict"] == told]
        ordered = rows.loc[rows["effect"].abs().sort_values(ascending=False).index]
        names = [code(str(name)) for name in ordered["factor"]]
        verb = " makes " if len(names) == 1 else " make "
        first = ordered.iloc[0]
        parts: list[str | Span | Rich] = [joined(names), verb, code(view.metric), f" {CHANGES[told]}"]
        parts += [f": {view.scale.signed(number(first['effect']))} {view.summary}"]
        if len(names) > 1:
            parts += [" for ", names[0]]
        parts += [f" ({view.interval} {view.scale.interval(number(first['low']), number(first['high']))}). "]
        return rich(*parts, _alone(view, str(first["factor"])), *(only_with(view, str(n)) for n in ordered["factor"]))
    words = set(verdicts["verdict"])
    none = "No factor that can be compared" if no_comparison(view) else "No factor"
    if len(view.analysis.idle) == len(verdicts):
        return rich(
            f"{none} did anything: all trials of a seed end with equal ", code(view.metric), ", to the last digit."
        )
    if words == {"equivalent"}:
        least = view.scale.fixed(view.margin)
        return rich(f"{none} changes ", code(view.metric), f" by more than {least} {view.summary}.")
    if words == {"not enough data"}:
        return rich("These trials are not enough to say which factor changes ", code(view.metric), ".")
    return rich(f"{none} was found to change ", code(view.metric), ".")


def told_first(view: StudyView) -> str:
    """The verdict that the first sentence tells: `harms` if there is one, else `helps`, else none."""
    words = set(view.analysis.verdicts["verdict"]) if len(view.analysis.verdicts) else set()
    return next((word for word in CHANGES if word in words), "")


def only_with(view: StudyView, name: str) -> Rich:
    """That a factor acts at one level of another factor alone: an established interaction, and nothing elsewhere."""
    effects, simple = view.analysis.effects, view.analysis.simple
    established = [
        set(str(row["term"]).split(" × "))
        for row in effects.to_dict("records")
        if row["order"] == 2 and (p := number(row["p_adjusted"])) is not None and p < view.alpha
    ]
    for other in view.factors:
        partners = {view.split(term)[0] for pair in established if name in pair for term in pair - {name}}
        if other not in partners or view.margin is None:
            continue
        rows = [
            (str(row["level"]), effect)
            for row in simple[(simple["factor"] == name) & (simple["other"] == other)].to_dict("records")
            if (effect := number(row["effect"])) is not None
        ]
        idle = [row for row in rows if abs(row[1]) < view.margin]
        active = [row for row in rows if row not in idle]
        if len(active) == 1 and idle:
            there, effect = active[0]
            here = f" ({view.scale.signed(effect)}; with "
            elsewhere = joined(rich(code(level), f" {view.scale.signed(nothing)}") for level, nothing in idle)
            return rich(" ", code(name), " does so only with ", code(f"{other}={there}"), here, elsewhere, ").")
    return ()


def _alone(view: StudyView, name: str) -> Rich:
    """What the factor does with all others at their first level."""
    arms = view.alone(name)
    if not arms or view.reference is None or view.reference in arms:
        return ()
    events, trials = _events(view, arms)
    ours = [v for arm in arms for v in outcomes(view, arm).values()]
    theirs = list(outcomes(view, view.reference).values())
    if not ours and events and len(events) == trials:
        return rich(f"On its own: {onset_words(view, arms)}.")
    if not ours or not theirs:
        return ()
    fixed = view.scale.fixed
    change = f"On its own it takes it from {fixed(sum(theirs) / len(theirs))} to {fixed(sum(ours) / len(ours))}"
    told = f"; {view.fall}: {onset_words(view, arms)}." if events else f"; no seed of it {view.fall}."
    return rich(change + told)


def _without_factors(view: StudyView) -> Rich:
    """For a study in which no factor has a verdict: one arm, or arms that are no factorial design."""
    arms = view.analysis.arms
    known = arms[arms["mean"].notna()]
    if len(known) == 1:
        mean = view.scale.fixed(float(known["mean"].iloc[0]))
        return rich("One arm: ", code(view.metric), f" is {mean} {view.summary}. Nothing to compare it with.")
    return rich("There is no verdict on a factor; the table below compares the arms.")


def others(view: StudyView) -> list[Rich]:
    """One sentence a kind of verdict that the first sentence did not tell."""
    verdicts = view.analysis.verdicts
    out = [shared] if (shared := shared_fall(view)) else []
    unmoved, known = view.analysis.idle, verdicts[verdicts["n_pairs"] > 0]
    if 0 < len(unmoved) < len(verdicts):
        out.append(
            rich(
                joined(map(code, unmoved)),
                " did nothing: with and without ",
                "it" if len(unmoved) == 1 else "them",
                " all trials end equal, to the last digit.",
            )
        )
    for word, one, many in (
        ("helps", " makes it better", " make it better"),
        ("equivalent", " makes no difference that matters", " make no difference that matters"),
        ("not enough data", ": not enough data", ": not enough data"),
    ):
        rows = known[(known["verdict"] == word) & ~known["factor"].isin(unmoved)]
        if not len(rows) or word == told_first(view):
            continue
        names = joined(code(str(name)) for name in rows["factor"])
        detail = _reason(view, rows.iloc[0].to_dict()) if len(rows) == 1 else _range(view, rows)
        out.append(rich(names, one if len(rows) == 1 else many, detail))
    return [*out, *(sentence for sentence in (no_pairs(view), no_comparison(view)) if sentence)]


def no_pairs(view: StudyView) -> Rich:
    """Which factors, or levels, were compared in no seed."""
    verdicts = view.analysis.verdicts
    names = [code(str(name)) for name in verdicts.loc[verdicts["n_pairs"] == 0, "factor"]]
    if not names:
        return ()
    return rich(joined(names), f" {'was' if len(names) == 1 else 'were'} not compared: no seed has both sides.")


def _diverged(view: StudyView) -> Rich:
    """At which levels trials diverged, and how many; then the arms of which all did at no such level."""
    found = [
        rich(
            code(f"{at.factor}={at.level}"), f" {at.many} of {at.ended} (", code(at.beside), f" {at.before} of {at.of})"
        )
        for at in diverging(view)
    ]
    found += [
        rich(f"{'both' if many == 2 else f'all {many}'} trials of ", code(arm.label))
        for arm, many in diverging_arms(view)
    ]
    return rich("Trials diverged: ", joined(found), ". What follows is of those that finished. ") if found else ()


def no_comparison(view: StudyView) -> Rich:
    """Which factors, or levels, have no verdict for want of arms to compare."""
    names = view.analysis.uncompared
    if not names or len(view.arms) < 2:
        return ()
    which = "it" if len(names) == 1 else "one of these"
    return rich("No verdict on ", joined(code(name) for name in names), f": no two arms differ in {which} alone.")


def shared_fall(view: StudyView) -> Rich:
    """That most seeds of the reference fell too; and whether all arms did, or which were spared."""
    if view.reference is None or not _fell(view, view.reference):
        return ()
    spared = [arm for arm in view.arms if _watched(view, arm) and not _fell(view, arm)]
    events, _ = _events(view, (view.reference,))
    counted = ", ".join(onset_parts(view, (view.reference,)))
    start = f"The reference itself {fall({event.kind for event in events})} ({counted})"
    if not spared:
        return rich(f"{start}: something that all arms share is a cause.")
    marks = [code(f"{name}={level}") for name, level in spared[0].levels.items() if _marks(view, name, level, spared)]
    if not marks:
        return rich(f"{start}; {len(spared)} of {count(len(view.arms), 'arm')} did not.")
    return rich(f"{start}; the {count(len(spared), 'arm')} with ", joined(marks), " did not.")


def _fell(view: StudyView, arm: Arm) -> bool:
    """Whether more than half of an arm's seeds degraded or diverged."""
    events, trials = _events(view, (arm,))
    return len(events) * 2 > trials


def _watched(view: StudyView, arm: Arm) -> list[str]:
    """The arm's trials that have ended, well or not."""
    trials = view.table.trials
    open_ = set(trials.loc[trials["status"].isin(("planned", "running")), "trial_id"])
    return [trial for trial in arm.trials if trial not in open_]


def _marks(view: StudyView, name: str, level: str, arms: list[Arm]) -> bool:
    """Whether just these arms are at this level of the factor."""
    return [arm for arm in view.arms if arm.levels.get(name) == level] == arms


def _reason(view: StudyView, row: Mapping[Any, Any]) -> str:
    """The numbers behind one verdict."""
    low, high = number(row["low"]), number(row["high"])
    if low is None or high is None:
        return f" ({count(int(row['n_pairs']), 'pair')})."
    text = f" ({view.scale.signed(number(row['effect']))}, {view.interval} {view.scale.interval(low, high)}"
    return text + (f", p {p_value(number(row['p_adjusted']))})." if number(row["p_adjusted"]) is not None else ").")


def _range(view: StudyView, rows: Any) -> str:
    least, most = (view.scale.signed(float(value)) for value in (rows["effect"].min(), rows["effect"].max()))
    return f" (effects {least} to {most})." if least != most else f" (effects {least} each)."


def status_words(view: StudyView) -> Rich:
    """`8 arms x 5 seeds = 40 trials: 38 finished, 1 diverged, 1 failed`."""
    trials = view.table.trials
    counts = trials["status"].value_counts()
    order = ("finished", "diverged", "failed", "interrupted", "running", "planned")
    words = [f"{int(counts[status])} {status}" for status in order if counts.get(status, 0)]
    arms, seeds = len(view.arms), len(view.seeds)
    start = f"{count(arms, 'arm')} × {count(seeds, 'seed')}"
    total = f" = {count(len(trials), 'trial')}" if arms * seeds == len(trials) else f", {count(len(trials), 'trial')}"
    return rich(strong(start), f"{total}: {', '.join(words)}.")
