"""The answer in five lines, for the end of a command."""

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
    """Five lines: question, answer, verdict of each factor, trials, what to do next."""
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
    """`▲ reassembly_fm harms (+0.037, p < 0.001) · = long_recon equivalent (...)`; else the other
    sentences."""
    words = []
    for row in study.analysis.verdicts.to_dict("records"):
        detail = f" ({', '.join(numbers)})" if (numbers := _numbers(study, row)) else ""
        name = f"{row['factor']}{_or(study, str(row['factor']))}"
        words.append(
            f"{SIGNS.get(str(row['verdict']), '')} {name} {row['verdict']}{detail}".strip()
        )
    words += [f"? {name} not compared" for name in study.analysis.uncompared]
    return (
        " · ".join(words)
        or " ".join(plain(sentence) for sentence in others(study))
        or "No verdict on a factor."
    )


def _or(study: StudyView, name: str) -> str:
    """` (or a × b)`: what a fraction cannot tell from a factor."""
    others = aliases(study, name)
    return f" (or {', or '.join(others)})" if others else ""


def _numbers(study: StudyView, row: Mapping[Any, Any]) -> list[str]:
    """Effect and p of a verdict about one number; what depends or diverges has none that says
    it."""
    if inert(study, row, "effect"):
        return ["did nothing"]
    if row["verdict"] in ("depends", "diverges") or row["factor"] in blocked(study):
        return []
    effect, p = float(str(row["effect"])), float(str(row["p_adjusted"]))
    return [study.effects.signed(effect)] * (effect == effect) + [p_words(p)] * (p == p)
