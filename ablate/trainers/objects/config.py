"""The config of a trial that a Python object trains."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from ablate.trainers.objects.load import load_object


@dataclass(frozen=True)
class ObjectConfig:
    """What one run of a Python trainer depends on.

    Attributes:
        name: of the trainer, as the study file has it.
        options: the keys of `base:`, defaults filled in, with the patches of the trial's levels.
        outcome: the metric that it must record.
        seed: the replicate.
        entry: the training run, `module:function`.
    """

    entry: ClassVar[str] = "ablate.trainers.objects.run:train"

    name: str
    options: Mapping[str, Any]
    outcome: str = ""
    seed: int = 0

    @property
    def steps(self) -> int:
        """Steps of the run, if the trainer's config has a field of this name; else 0."""
        return self._whole("steps", 0)

    @property
    def log_every(self) -> int:
        """0: the trainer records when it likes."""
        return 0

    @property
    def checkpoint_every(self) -> int:
        """0: the trainer saves when it likes."""
        return 0

    @property
    def threads(self) -> int:
        """CPU threads: the option `threads`, else 1."""
        return max(1, self._whole("threads", 1))

    def to_dict(self) -> dict[str, Any]:
        """Return the options and the seed, ready for JSON."""
        return {**self.options, "seed": self.seed}

    def trainer_record(self) -> dict[str, Any]:
        """Return the entry `trainer` of trial.json."""
        return {"object": self.name, "outcome": self.outcome}

    @classmethod
    def from_records(cls, config: Mapping[str, Any], trainer: Mapping[str, Any]) -> "ObjectConfig":
        """Return the config that `to_dict` and `trainer_record` wrote."""
        options = {name: value for name, value in config.items() if name != "seed"}
        return cls(trainer["object"], options, trainer.get("outcome", ""), config["seed"])

    def own(self) -> Any:
        """Return the trainer's own config.

        Raises:
            TrainerError: the trainer is not installed.
            TypeError, ValueError: the options are none of its config.
        """
        kind = load_object(self.name).config
        options: dict[str, Any] = {**self.options, "seed": self.seed}
        for entry in fields(kind):
            value = options.get(entry.name)
            if isinstance(value, str) and "Path" in str(entry.type):
                options[entry.name] = Path(value)
            elif isinstance(value, list) and "tuple" in str(entry.type).lower():
                options[entry.name] = tuple(value)
        return kind(**options)

    def _whole(self, name: str, usual: int) -> int:
        value = self.options.get(name, usual)
        return value if isinstance(value, int) and not isinstance(value, bool) else usual
