"""When trials degraded or diverged, and whether those of the reference did too."""

from statistics import median

from reports.page.blocks import Rich, code, joined, rich
from reports.page.numbers import count
from reports.view.study import Arm, Event, StudyView, fall
from reports.words.names import number_words


def onset_words(view: StudyView, arms: tuple[Arm, ...]) -> str:
    """Return `5 of 5 trials degraded, median step 250`; empty if no trial of the arms has ended."""
    events, trials = _events(view, arms)
    counted, *step = onset_parts(view, arms)
    word = fall({event.kind for event in events} or {"degraded"})
    return ", ".join((f"{counted} {word}", *step)) if trials else ""


def onset_parts(view: StudyView, arms: tuple[Arm, ...]) -> tuple[str, ...]:
    """Return `5 of 5 trials` and, if any of them has an onset, `median step 250`.

    The first text is empty if no trial has ended.
    """
    events, trials = _events(view, arms)
    counted = f"{len(events)} of {count(trials, 'trial')}" if trials else ""
    return (
        (counted, f"median step {median(event.step for event in events):.0f}")
        if events
        else (counted,)
    )


def _events(view: StudyView, arms: tuple[Arm, ...]) -> tuple[list[Event], int]:
    """Return the events of these arms' trials, and how many trials have ended."""
    trials = [trial for arm in arms for trial in watched(view, arm)]
    return [view.events[trial] for trial in trials if trial in view.events], len(trials)


def shared_fall(view: StudyView) -> Rich:
    """Say that most trials of the reference degraded too, and which arms did not.

    Empty if there is no reference, or if most of its trials did not degrade.
    """
    if view.reference is None or not _mostly_degraded(view, view.reference) or len(view.arms) < 2:
        return ()

    unaffected = [
        arm for arm in view.arms if watched(view, arm) and not _mostly_degraded(view, arm)
    ]
    events, _ = _events(view, (view.reference,))
    counted = ", ".join(onset_parts(view, (view.reference,)))
    start = f"The reference {fall({event.kind for event in events})} too ({counted})"
    if not unaffected:
        most = "" if _others_all_degraded(view) else "most trials of "
        return rich(
            f"{start}, and so did {most}every other arm. This study does not tell why: something "
            "that all arms share may be a cause, or several causes may replace each other."
        )

    marks = [
        code(f"{name}={level}")
        for name, level in unaffected[0].levels.items()
        if _distinguishes(view, name, level, unaffected)
    ]
    few, _ = _events(view, tuple(unaffected))
    if not marks:
        of = f"{len(unaffected)} of {count(len(view.arms), 'arm')}"
        return rich(f"{start}; {f'most trials of {of}' if few else of} did not.")

    which = "arm" if len(unaffected) == 1 else f"{number_words(len(unaffected))} arms"
    most = "most trials of " if few else ""
    return rich(f"{start}; {most}the {which} with ", joined(marks), " did not.")


def _others_all_degraded(view: StudyView) -> bool:
    """Return whether every trial of the arms other than the reference degraded or diverged."""
    events, trials = _events(view, tuple(arm for arm in view.arms if arm != view.reference))
    return len(events) == trials


def _mostly_degraded(view: StudyView, arm: Arm) -> bool:
    """Return whether more than half of an arm's trials degraded or diverged."""
    events, trials = _events(view, (arm,))
    return len(events) * 2 > trials


def watched(view: StudyView, arm: Arm) -> list[str]:
    """Return the arm's trials that have ended, well or not; none if onsets aren't known."""
    if not view.has_onsets:
        return []
    trials = view.table.trials
    open_ = set(trials.loc[trials["status"].isin(("planned", "running")), "trial_id"])
    return [trial for trial in arm.trials if trial not in open_]


def _distinguishes(view: StudyView, name: str, level: str, arms: list[Arm]) -> bool:
    """Return whether exactly these arms have this level of the factor."""
    return [arm for arm in view.arms if arm.levels.get(name) == level] == arms
