"""What do the words mean?"""

from reports.page.blocks import Facts, Rich, Section, code, rich
from reports.view.study import StudyView

IMAGES = (
    "originals, mixed, reconstructed",
    "two images; the same two with their classes swapped; and the swapped ones swapped back, "
    "which should look like the originals again",
)
"""The entry on images, which the built-in trainer evaluates and a command does not."""

WORDS = (
    ("arm", "one combination of levels, trained once with every seed"),
    ("reference", "the arm that every other arm is compared with"),
    (
        "seed",
        "the number that fixes a trial's random choices. Trials with the same seed are compared "
        "with each other, so that chance affects both sides alike",
    ),
    (
        "setting",
        "one combination of the levels of the other factors, in which a factor was run at both "
        "levels",
    ),
    IMAGES,
    (
        "effect",
        "how much the outcome changes when a factor moves from its first level to another one, "
        "compared within each seed. It may differ between settings; a table of averages takes "
        "the mean of them",
    ),
    (
        "smallest effect that matters, margin",
        "named in the study file. Smaller changes don't count",
    ),
    (
        "interval",
        "confidence interval of an effect. If the study were repeated many times, 95% of its 95% "
        "intervals would contain the true effect. It isn't corrected for the number of claims; "
        "the p value is",
    ),
    (
        "p, corrected",
        "how surprising the data would be if the claim were false, corrected for all claims of "
        "the report. A claim is made where it is below 0.05",
    ),
    (
        "harms, helps",
        "the factor makes the outcome worse, or better, on average, and in no setting does the "
        "opposite by the margin. With 'on average', single settings may differ",
    ),
    (
        "equivalent",
        "in every setting the effect is smaller than the margin. With 'on average', single "
        "settings may differ by more",
    ),
    (
        "depends",
        "what the factor does differs with the level of another factor, so that its average says "
        "little",
    ),
    (
        "no harm, no benefit",
        "in no setting does the factor make the outcome worse, or better, by the margin or more. "
        "The other direction is open",
    ),
    ("not enough data", "these seeds can't decide. It doesn't mean that there is no effect"),
    (
        "interaction",
        "how much the effect of one factor depends on the level of another: half the change of "
        "the first factor's effect when the second factor leaves its first level",
    ),
    ("alias", "an effect that the design can't distinguish from another one"),
    (
        "degraded",
        "the outcome became worse than at step 0 by more than the share given in the study file, "
        "for as many evaluations in a row as the file asks for",
    ),
    (
        "diverged",
        "a loss, a gradient, or a weight became infinite or not a number. This is a result, not "
        "a crash; the trial is counted, and no mean includes it",
    ),
    ("onset", "the step at which a trial degraded or, if that came first, diverged"),
    ("survival", "the share of trials that have neither degraded nor diverged by a given step"),
    (
        "Shapley share",
        "the part of the total change that is due to a factor: its average effect over all "
        "orders of switching the factors on",
    ),
)
"""The words of every report with their meanings."""


def glossary(view: StudyView) -> Section:
    """Explain the terms of the report, the losses of the study, and its metrics."""
    words = [entry for entry in WORDS if entry != IMAGES or not view.foreign]
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
        terms.append(
            (rich(code(str(name))), rich(f"metric: {entry.get('description', '')}{unit}{better}"))
        )
    return Section("glossary", "Glossary", "Glossary", (Facts(tuple(terms)),))


def _active_losses(view: StudyView) -> set[str]:
    """Return the losses that some trial recorded, or that a factor is named after."""
    names = {str(name) for name in view.table.history["name"].unique()}
    recorded = {name.removeprefix("loss/") for name in names if name.startswith("loss/")}
    return recorded | set(view.factors)
