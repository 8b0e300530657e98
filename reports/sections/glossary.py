"""What do the words mean?"""

from reports.document import Facts, Rich, Section, code, rich
from reports.view import StudyView

IMAGES = (
    "originals, mixed, reconstructed",
    "two images; the same with their classes swapped; these swapped back, which should be the originals again",
)
"""What the core evaluates, and a program of the user does not."""

WORDS = (
    ("arm", "one setting of all factors, run once with every seed"),
    ("reference", "the arm that all others are compared with"),
    IMAGES,
    (
        "effect",
        "difference of the outcome between a factor's level and its first level, averaged over the other factors, "
        "paired by seed",
    ),
    ("interval", "confidence interval of a difference: in 95 of 100 studies a 95% interval contains the true effect"),
    ("p (Holm)", "chance of a difference at least this large if there were none, corrected for the number of tests"),
    (
        "onset",
        "the first evaluation at which the outcome is worse than at step 0 by the share named in the study file; of a "
        "trial that diverged before that, the step at which it did",
    ),
    ("diverged", "a loss, gradient or weight became non-finite; an outcome, not an accident"),
    (
        "interaction",
        "half of what the effect of one factor grows by when another leaves its first level (the factorial contrast)",
    ),
    ("Shapley share", "average change made by a factor over all orders of switching the factors on"),
    ("survival", "share of trials that have neither degraded nor diverged up to a step"),
)


def glossary(view: StudyView) -> Section:
    """Terms of the report, the study's factors' losses and its metrics."""
    words = [entry for entry in WORDS if entry != IMAGES or not view.command]
    terms: list[tuple[Rich, Rich]] = [(rich(word), rich(meaning)) for word, meaning in words]
    active = _active_losses(view)
    for name, meaning in sorted((view.study.get("losses") or {}).items()):
        if str(name) not in active:
            continue
        terms.append((rich(code(str(name))), rich(f"loss: {meaning}")))
    for name, entry in sorted((view.study.get("metrics") or {}).items()):
        if f"metric.{name}" not in view.table.trials and f"metric0.{name}" not in view.table.trials:
            continue
        better = f"; {entry['better']} is better" if entry.get("better") else ""
        unit = f", in {entry['unit']}" if entry.get("unit") else ""
        terms.append((rich(code(str(name))), rich(f"metric: {entry.get('description', '')}{unit}{better}")))
    return Section("glossary", "Glossary", "Glossary", (Facts(tuple(terms)),))


def _active_losses(view: StudyView) -> set[str]:
    """Losses that some trial recorded, or that a factor is about."""
    names = {str(name) for name in view.table.history["name"].unique()}
    recorded = {name.removeprefix("loss/") for name in names if name.startswith("loss/")}
    return recorded | set(view.factors)
