"""What a system offers to studies: options, a training run, metrics, and what applies to it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from g2g_core.data import all_datasets
from g2g_core.metrics.metric import Metric
from g2g_core.record import Record
from g2g_core.systems import loop


@dataclass(frozen=True)
class SystemTrainer:
    """A system as a trainer that a study file can name.

    `ablate` uses such an object like any other trainer of a Python package.

    Attributes:
        name: of the system.
        config: dataclass of its options.
        make: from a config and a device to the system at its start.
        description: short description, on a single line.
        all_metrics: name -> metric that a run may record.
        inapplicable: function from a config and a metric to why the metric doesn't apply, or None.
        cautions: function from a config to warnings about settings that are probably not intended.
        acts_later: function from a config to whether some options act only after the first step,
            because of a ramp or of a second stage.
    """

    name: str
    config: type
    make: loop.Make
    description: str
    all_metrics: Mapping[str, Metric]
    inapplicable: Callable[[Any, str], str | None]
    cautions: Callable[[Any], list[str]] = lambda _: []
    acts_later: Callable[[Any], bool] = lambda _: False

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """Metric -> its direction, unit, and description."""
        return {
            name: {
                "better": metric.better,
                "unit": metric.unit,
                "description": metric.description,
            }
            for name, metric in self.all_metrics.items()
        }

    def train(self, config: Any, device: str, checkpoints: Path) -> Iterator[Record]:
        """Train the system, or resume a run; see `loop.train`."""
        return loop.train(self.name, self.make, config, device, checkpoints)

    def first_step(self, config: Any, device: str) -> dict[str, Any]:
        """Take the first step of a config; see `loop.first_step`."""
        return loop.first_step(self.make, config, device)

    def data_digest(self, config: Any) -> str:
        """Return the digest of the training data.

        Raises:
            DataError: the data can't be used.
        """
        return str(config.make_data().digest)

    def modules(self, config: Any) -> tuple[str, ...]:
        """Return the modules, besides the system's own, whose code a config uses."""
        make = all_datasets()[config.dataset].make
        return (str(make.__module__),)

    def keys(self) -> dict[str, dict[str, type]]:
        """Return option -> choice -> dataclass of the keys of the option under this choice."""
        return {"data": {name: entry.options for name, entry in all_datasets().items()}}
