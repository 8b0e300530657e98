"""Should I believe it? Weak points of this study, found in its own data, and the next experiment."""

from reports.document import Bullets, Rich, Section, code, joined, rich, strong
from reports.estimates import number, outcomes
from reports.numbers import count, p_value
from reports.view import StudyView


def threats(view: StudyView) -> Section:
    """What could be wrong, each point only when the data show it; then what to run next."""
    points = [point for test in (_few_seeds, _missing, _drift, _no_margin, _one_data_set) if (point := test(view))]
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


def _drift(view: StudyView) -> Rich | None:
    """The reference changes as well, so a level is not a change since step 0."""
    if view.reference is None:
        return None
    starts = [view.curves[t][0][1] for t in view.reference.trials if view.curves.get(t)]
    ends = list(outcomes(view, view.reference).values())
    if not starts or not ends:
        return None
    change = sum(ends) / len(ends) - sum(starts) / len(starts)
    limit = view.margin or 0.1 * abs(sum(starts) / len(starts))
    if abs(change) <= limit / 2:
        return None
    worse = (change > 0) == (view.better == "lower")
    return rich(
        strong("The reference drifts."),
        f" It gets {'worse' if worse else 'better'} too, by {view.scale.signed(change)} since step 0; "
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
    data = [factor for factor, entry in view.factors.items() if "dataset" in str(entry).lower()]
    if data:
        return None
    return rich(
        strong("One data set, one length of training."),
        f" All that is said holds for {view.last_step} steps on the data of this study; it was not tried elsewhere.",
    )


def next_experiment(view: StudyView) -> Rich:
    """The experiment that would decide what is open."""
    verdicts = view.analysis.verdicts
    if not (view.table.trials["status"] == "finished").any():
        return rich(strong("Next:"), " find out why no trial finished; the same command then runs the missing ones.")
    unsure = verdicts[verdicts["verdict"] == "not enough data"] if len(verdicts) else verdicts
    if len(unsure):
        names = joined(code(str(name)) for name in unsure["factor"])
        n = len(view.seeds)
        known = [d for d in unsure["detectable_effect"].map(number) if d]
        if view.margin and known and n > 1 and max(known) > view.margin:
            wanted = max(n + 1, round(n * (max(known) / view.margin) ** 2))
            return rich(
                strong("Next:"),
                f" about {wanted} seeds instead of {n} would show an effect of {view.scale.fixed(view.margin)} for ",
                names,
                ".",
            )
        return rich(strong("Next:"), f" more than {count(n, 'seed')} for ", names, ".")
    return rich(
        strong("Next:"), " the same study on other data, and longer, would tell whether the answer carries over."
    )
