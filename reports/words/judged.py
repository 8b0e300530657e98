"""Weak points of runs that another program made, and that were judged afterwards."""

from collections.abc import Mapping

from reports.documents.judged import Differing, Place
from reports.page.blocks import Rich, Span, code, joined, rich, strong
from reports.page.numbers import count
from reports.view.study import StudyView

SHOWN = 6
"""Limit for the places that a sentence lists; it counts the others."""


def judged_threats(view: StudyView) -> tuple[Rich, ...]:
    """Return one point for each weakness of runs that were judged; none for a study's own."""
    if not view.judged:
        return ()
    points = [
        *(_differing(entry) for entry in view.judged.get("differing", ())),
        _absent_arms(view),
        _absent(view),
        _restarted(view),
        _repeated(view),
        _left_out(view),
    ]
    return tuple(point for point in points if point)


def source_words(view: StudyView) -> Rich:
    """Return where the runs are from, as a sentence; empty for a study's own trials."""
    judged = view.judged
    if not judged:
        return ()
    pairs = judged.get("pairs") or {}
    stands = ", ".join(f"{seed} is {text}" for seed, text in list(pairs.items())[:SHOWN])
    more = ", …" if len(pairs) > SHOWN else ""
    return rich(
        f"The runs are from a source of {count(judged.get('runs', 0), 'run')}, the "
        f"{judged.get('kind', 'source')} ",
        code(judged.get("source", "")),
        ". Runs with the same ",
        code(judged.get("pair", "")),
        f" were compared{f' (seed {stands}{more})' if stands else ''}.",
    )


def guessed_words(view: StudyView) -> Rich:
    """Return what was guessed about the source, as a sentence; empty if nothing was."""
    guessed = view.judged.get("guessed") or []
    if not guessed:
        return ()
    names = joined([code(name) for name in guessed])
    return rich("Nobody named ", names, ", which ", code("judge"), " guessed from the columns.")


def judge_again() -> Rich:
    """Return the advice for runs that have not ended yet."""
    return rich(strong("Next:"), " judge again when the runs have ended that are still running.")


def _differing(entry: Differing) -> Rich:
    """Return that something differs between runs although it is not a factor."""
    what = {"code": "Different code.", "data": "Different data.", "option": "Not a factor."}
    values = ", ".join(value or "nothing" for value in entry["values"])
    more = ", …" if entry["number"] > len(entry["values"]) else ""
    end = (
        " It has one value in each arm, so its effect can't be distinguished from the factors'."
        if entry["with_arm"]
        else " Some arms have several of its values, so runs of one seed may differ in it."
    )
    return rich(
        strong(what[entry["what"]]),
        " The runs differ in ",
        code(entry["column"]),
        f", which is not a factor: {values}{more}.",
        end,
    )


def _absent_arms(view: StudyView) -> Rich | None:
    """Return which combinations of levels have no run."""
    arms = view.judged.get("absent_arms") or []
    if not arms:
        return None
    verb = "has" if len(arms) == 1 else "have"
    return rich(
        strong("Partial grid."),
        f" {count(len(arms), 'combination')} of levels {verb} no run: ",
        _listed([code(_levels(levels)) for levels in arms]),
        ". What the factors do there is not known.",
    )


def _absent(view: StudyView) -> Rich | None:
    """Return at which arms and seeds runs are missing."""
    places = view.judged.get("absent") or []
    if not places:
        return None
    verb = "is" if len(places) == 1 else "are"
    return rich(
        strong("Missing runs."),
        f" {count(len(places), 'run')} {verb} not in the source: ",
        _listed([code(_place(place)) for place in places]),
        ". If they are missing because they went badly, their arms look better than they are.",
    )


def _restarted(view: StudyView) -> Rich | None:
    """Return where runs were started again, of which the last one that finished counts."""
    places = view.judged.get("restarted") or []
    if not places:
        return None
    return rich(
        strong("Started again."),
        " Several runs were started, of which at most one finished, at ",
        _listed([code(_place(place)) for place in places]),
        ". The finished one counts. An arm that needed several starts may owe its value to the "
        "last one.",
    )


def _repeated(view: StudyView) -> Rich | None:
    """Return where several runs finished, and what was taken of them."""
    places = view.judged.get("repeated") or []
    if not places:
        return None
    taken = view.judged.get("taken", "")
    how = {
        "first": "The first one counts.",
        "last": "The last one counts. It may have been run because the first one disappointed.",
        "mean": "Their mean counts.",
    }
    end = how.get(taken, "Their values are identical, so they count once.")
    where = _listed([code(_place(place)) for place in places])
    return rich(strong("Several runs."), " Several runs finished at ", where, f". {end}")


def _left_out(view: StudyView) -> Rich | None:
    """Return how many runs of the source are not judged, and why."""
    reasons = view.judged.get("left_out") or {}
    if not reasons:
        return None
    words = ", ".join(f"{number} {why}" for why, number in reasons.items())
    return rich(strong("Runs left out."), f" Runs of the source that aren't judged: {words}.")


def _listed(parts: list[Span]) -> Rich:
    """Return the first parts in a row, and how many more there are."""
    rest = len(parts) - SHOWN
    more = [f"{rest} more"] if rest > 0 else []
    return joined([*parts[:SHOWN], *more])


def _place(place: Place) -> str:
    """Return an arm and a seed: `lr=0.1 seed 3`."""
    return f"{_levels(place['levels'])} seed {place['seed']}"


def _levels(levels: Mapping[str, str]) -> str:
    """Return levels as `lr=0.1 loss=l2`."""
    return " ".join(f"{factor}={level}" for factor, level in levels.items())
