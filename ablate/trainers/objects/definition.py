"""What a Python package offers so that a study can train with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ablate.trainers.trainer import Metric


@dataclass(frozen=True)
class Trainer:
    """A training run that studies can vary, as an object of any package.

    A study file names it, `trainer: package.module:object`, or by the name of an entry point of
    the group `g2g_ablate.trainers`.

    Attributes:
        config: dataclass of the options; its fields are the keys of `base:` in a study file. It
            has a field `seed`. Descriptions are taken from the `Attributes:` of its docstring;
            `field(metadata={"neutral": True})` marks an option that no number depends on. Fields
            called `steps` and `threads` are understood: the number of steps, and of CPU threads.
        train: the training run, in one of two forms. A generator, `train(config, device=...,
            checkpoints=...)`, yields `{"step": 20, "name": value, ...}` as it goes. A plain
            function with a parameter `report` calls `report(step, name=value, ...)` instead.
            Either takes only those of `device` (`cpu` or `cuda`) and `checkpoints` (a folder of
            its own) that it has parameters for. It may save what it likes in `checkpoints`, and
            resumes from that when it is called again; a step is yielded before it is saved. A
            value that is not finite is a divergence and ends the run.
        metrics: name -> what is measured; one of them is the outcome of a study.
        description: one line.
        data_digest: config -> text that changes when the training data do; None: the content of
            the files and folders that the config names as `Path`.
        first_step: (config, device) -> digests before and after one step, by which arms without
            effect are found before hours are spent; None: they are not looked for.
    """

    config: type
    train: Callable[..., Any]
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    description: str = ""
    data_digest: Callable[[Any], str] | None = None
    first_step: Callable[[Any, str], Any] | None = None
