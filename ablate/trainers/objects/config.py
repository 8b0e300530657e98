"""The config of a trial that a Python object trains."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from ablate.trainers.foreign import ForeignConfig
from ablate.trainers.objects.load import load_object


@dataclass(frozen=True)
class ObjectConfig(ForeignConfig):
    """Config of a trial that a Python object trains.

    Attributes:
        name: name of the trainer, as the study file has it.
        options: the keys of `base:`, with all defaults and the patches of the trial's levels.
        outcome: the metric that the trainer must record.
        seed: the seed of the trial.
        entry: the training run, `module:function`.
    """

    entry: ClassVar[str] = "ablate.trainers.objects.run:train"

    name: str
    options: Mapping[str, Any]
    outcome: str = ""
    seed: int = 0

    @property
    def steps(self) -> int:
        """Number of steps, from the option `steps`, or 0 if the trainer has no such option."""
        return self._whole("steps", 0)

    @property
    def threads(self) -> int:
        """Number of CPU threads, from the option `threads`, or else 1."""
        return max(1, self._whole("threads", 1))

    def trainer_record(self) -> dict[str, Any]:
        """Return the entry `trainer` of trial.json."""
        return {"object": self.name, "outcome": self.outcome}

    @classmethod
    def from_records(cls, config: Mapping[str, Any], trainer: Mapping[str, Any]) -> "ObjectConfig":
        """Return the config that `to_dict` and `trainer_record` wrote."""
        options = {name: value for name, value in config.items() if name != "seed"}
        return cls(trainer["object"], options, trainer.get("outcome", ""), config["seed"])

    def own(self) -> Any:
        """Return the config as an instance of the trainer's own dataclass.

        Raises:
            TrainerError: the trainer is not installed.
            TypeError, ValueError: the trainer's dataclass does not accept the options.
        """
        kind = load_object(self.name).config
        options: dict[str, Any] = {**self.options, "seed": self.seed}

        # YAML and JSON have neither paths nor tuples, which the dataclass may want.
        for entry in fields(kind):
            value = options.get(entry.name)
            if isinstance(value, str) and "Path" in str(entry.type):
                options[entry.name] = Path(value)
            elif isinstance(value, list) and "tuple" in str(entry.type).lower():
                options[entry.name] = tuple(value)
        return kind(**options)

    def _whole(self, name: str, usual: int) -> int:
        """Return an option that is a whole number, or `usual` if it is missing or not one."""
        value = self.options.get(name, usual)
        return value if isinstance(value, int) and not isinstance(value, bool) else usual
