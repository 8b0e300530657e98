"""From a study file to finished trials, their tables and their report."""

from typing import TYPE_CHECKING

from g2g_base import lazy

if TYPE_CHECKING:
    from ablate.judging.gate import Gated, GateRule, gate
    from ablate.judging.judge import judge
    from ablate.judging.question import Question
    from ablate.planning.load import load_study
    from ablate.planning.plan import plan
    from ablate.running.study import run_study
    from ablate.trainers.objects.definition import Trainer
    from ablate.trainers.trainer import Metric

__all__ = [
    "GateRule",
    "Gated",
    "Metric",
    "Question",
    "Trainer",
    "gate",
    "judge",
    "load_study",
    "plan",
    "run_study",
]

__getattr__ = lazy.names(
    __name__,
    {
        "GateRule": "ablate.judging.gate",
        "Gated": "ablate.judging.gate",
        "Question": "ablate.judging.question",
        "gate": "ablate.judging.gate",
        "judge": "ablate.judging.judge",
        "Metric": "ablate.trainers.trainer",
        "Trainer": "ablate.trainers.objects.definition",
        "load_study": "ablate.planning.load",
        "plan": "ablate.planning.plan",
        "run_study": "ablate.running.study",
    },
)
