"""The answer in five lines, which commands print at their end."""

from collections.abc import Mapping
from typing import Any

from reports.analysis import analyse
from reports.page.blocks import plain
from reports.page.numbers import p_words
from reports.page.theme import SIGNS
from reports.table import StudyTable
from reports.view.study import StudyView
from reports.words.answer import lead, others
from reports.words.estimates import inert
from reports.words.facts import blocked, status_words
from reports.words.names import aliases
from reports.words.next import next_experiment
from reports.words.onset import shared_fall


def headline(study: StudyView | StudyTable) -> list[str]:
    """Return five lines: question, answer, verdicts, trials, and what to do next."""
    if isinstance(study, StudyTable):
        study = StudyView(study, analyse(study))
    return [
        str(study.study.get("question") or study.study["name"]),
        " ".join(plain(words) for words in (lead(study), shared_fall(study)) if words),
        _verdicts(study),
        plain(status_words(study)),
        plain(next_experiment(study)),
    ]


def _verdicts(study: StudyView) -> str:
    """Return the verdicts as a single line, or other sentences of the answer if there are none.

    Example: `▲ reassembly_fm harms (+0.037, p < 0.001) · = long_recon equivalent (...)`.
    """
    words = []
    for row in study.analysis.verdicts.to_dict("records"):
        detail = f" ({', '.join(numbers)})" if (numbers := _numbers(study, row)) else ""
        name = f"{row['factor']}{_aliased_with(study, str(row['factor']))}"
        words.append(
            f"{SIGNS.get(str(row['verdict']), '')} {name} {row['verdict']}{detail}".strip()
        )

    words += [f"? {name} not compared" for name in study.analysis.uncompared]
    return (
        " · ".join(words)
        or " ".join(plain(sentence) for sentence in others(study))
        or "No verdict on a factor."
    )


def _aliased_with(study: StudyView, name: str) -> str:
    """Return what is aliased with a factor in a fraction: ` (or a × b)`."""
    others = aliases(study, name)
    return f" (or {', or '.join(others)})" if others else ""


def _numbers(study: StudyView, row: Mapping[Any, Any]) -> list[str]:
    """Return effect and p value of a verdict.

    The list is empty if the verdict depends on other factors or is about divergence, because no
    single number describes it.
    """
    if inert(study, row, "effect"):
        return ["did nothing"]
    if row["verdict"] in ("depends", "diverges") or row["factor"] in blocked(study):
        return []
    effect, p = float(str(row["effect"])), float(str(row["p_adjusted"]))
    return [study.effects.signed(effect)] * (effect == effect) + [p_words(p)] * (p == p)
