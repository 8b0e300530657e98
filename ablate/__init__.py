"""From a study file to finished trials, their tables and their report."""

from typing import TYPE_CHECKING

from g2g_base import lazy

if TYPE_CHECKING:
    from ablate.planning.load import load_study
    from ablate.planning.plan import plan
    from ablate.running.study import run_study
    from ablate.trainers.objects.definition import Trainer
    from ablate.trainers.trainer import Metric

__all__ = ["Metric", "Trainer", "load_study", "plan", "run_study"]

__getattr__ = lazy.names(
    __name__,
    {
        "Metric": "ablate.trainers.trainer",
        "Trainer": "ablate.trainers.objects.definition",
        "load_study": "ablate.planning.load",
        "plan": "ablate.planning.plan",
        "run_study": "ablate.running.study",
    },
)
