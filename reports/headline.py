"""The answer in five lines, for the end of a command."""

from reports.analysis import analyse
from reports.answer import lead, no_comparison, others, shared_fall, status_words
from reports.document import plain
from reports.estimates import inert
from reports.numbers import p_words
from reports.sections.threats import next_experiment
from reports.table import StudyTable
from reports.theme import SIGNS
from reports.view import StudyView


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
    """`▲ reassembly_fm harms (+0.037, p < 0.001) · = long_recon equivalent (...)`; else the other sentences."""
    words = []
    for row in study.analysis.verdicts.to_dict("records"):
        effect, p = row["effect"], row["p_adjusted"]
        numbers = [study.scale.signed(effect)] if effect == effect and effect is not None else []
        if p == p and p is not None:
            numbers.append(p_words(p))
        numbers = ["did nothing"] if inert(study, row, "effect") else numbers
        detail = f" ({', '.join(numbers)})" if numbers else ""
        words.append(f"{SIGNS.get(str(row['verdict']), '')} {row['factor']} {row['verdict']}{detail}".strip())
    if words and (uncompared := no_comparison(study)):
        words.append(plain(uncompared))
    return " · ".join(words) or " ".join(plain(sentence) for sentence in others(study)) or "No verdict on a factor."
