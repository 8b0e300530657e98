"""The description of a trainer that a Python package offers to studies."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ablate.trainers.trainer import Metric


@dataclass(frozen=True)
class Trainer:
    """A training run that studies can vary, as an object of any package.

    A study file names the object, `trainer: package.module:object`, or an entry point of the group
    `g2g_ablate.trainers`.

    Attributes:
        config: dataclass of the options; its fields are the keys of `base:` in a study file. One
            field must be `seed`. The `Attributes:` section of its docstring describes the options.
            `field(metadata={"neutral": True})` marks an option that cannot change any number. The
            fields `steps` and `threads`, if present, are the numbers of steps and of CPU threads.
        train: the training run, in one of two forms. A generator, `train(config, device=...,
            checkpoints=...)`, yields `{"step": 20, "name": value, ...}` while it trains. A plain
            function with a parameter `report` calls `report(step, name=value, ...)` instead. Both
            forms may leave out `device` (`cpu` or `cuda`) or `checkpoints` (a folder of the
            trial). The training run may save anything in `checkpoints`, and resumes from there
            when it is called again. It must yield a step before it saves the step. A value that is
            not finite means divergence and ends the run.
        metrics: name -> what is measured; one of them is the outcome of a study.
        description: short description, on a single line.
        data_digest: function from a config to a text that changes when the training data changes;
            None: the content of the files and folders that the config names as `Path`.
        first_step: function from a config and a device to digests before and after one step. With
            it, arms without effect are found before a study spends hours; None: they are not.
        modules: function from a config to further modules whose code its numbers depend on, for
            trainers that choose code by name; None: there are none.
        keys: function that returns, for options that are maps, which keys they may have: option ->
            choice -> dataclass. A key of any choice can be a path of a level; None: no option is
            such a map.
        inapplicable: function from a config and a metric to the reason why the metric doesn't apply
            to it, or None. A metric that doesn't apply can't be an outcome; None: all apply.
        cautions: function from a config to warnings about settings that are valid but probably not
            intended; None: there are none.
        acts_later: function from a config to whether some of its options may act only after the
            first step; arms of such configs may be alike after one step. None: all act at once.
    """

    config: type
    train: Callable[..., Any]
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    description: str = ""
    data_digest: Callable[[Any], str] | None = None
    first_step: Callable[[Any, str], Any] | None = None
    modules: Callable[[Any], Sequence[str]] | None = None
    keys: Callable[[], Mapping[str, Mapping[str, type]]] | None = None
    inapplicable: Callable[[Any, str], str | None] | None = None
    cautions: Callable[[Any], Sequence[str]] | None = None
    acts_later: Callable[[Any], bool] | None = None
