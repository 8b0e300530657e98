"""The trials of other studies that the trials of a study start from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ablate.study.design import Cell, expand
from ablate.study.identity import digest, dumps
from ablate.study.nouns import Pretraining, StudySpec
from ablate.study.starts import is_trained, key_of, network_of, seed_of_network, shared_fields
from ablate.trainers.trainer import Builder
from g2g_core.config import TrialConfig


@dataclass(frozen=True)
class Arm:
    """The arm of another study that makes the networks which a cell starts from.

    Attributes:
        spec: the other study, with the settings that the cell asks for.
        builder: builder of its trials.
        cell: the arm.
        id_: its id.
        seed: the seed of the one trial that is trained; None: there are several networks.
        checkpoint: the checkpoint of the cell.
    """

    spec: StudySpec
    builder: Builder
    cell: Cell
    id_: str
    seed: int | None
    checkpoint: Mapping[str, Any]
    _known: dict[int, Pretraining] = field(default_factory=dict)

    def pretraining(self, seed: int) -> Pretraining:
        """Return what a trial with this seed starts from."""
        network = self.network(seed)
        own = self.seed if network is None else seed_of_network(network)
        assert own is not None
        if own not in self._known:
            trial = self.builder.trial(self.id_, self.cell, own)
            self._known[own] = Pretraining(self.spec, trial)
        return self._known[own]

    def network(self, seed: int) -> int | None:
        """Return the number of the network that a trial with this seed starts from, if any."""
        return network_of(self.checkpoint, seed)

    @property
    def digest(self) -> str:
        """The part `checkpoint` of the identity of a cell.

        It is known before anything has run, because equal trials train equal networks.
        """
        if self.seed is None:
            each = "network" if "networks" in self.checkpoint else "seed"
            return digest(f"a trial of {self.id_} for each {each}")
        return digest_of(self.pretraining(self.seed))


def digest_of(start: Pretraining) -> str:
    """Return the part `checkpoint` of the identity of a trial."""
    return digest(f"trial {start.trial.id}")


class Starts:
    """Finder of the arms of other studies.

    Args:
        trains: the studies, see `StudySpec.trains`.
        build: makes the builder of a study's trials.
    """

    def __init__(
        self, trains: Mapping[str, StudySpec], build: Callable[[StudySpec], Builder]
    ) -> None:
        self._trains, self._build = trains, build
        self._arms: dict[str, Arm] = {}

    def arm(self, values: Mapping[str, Any]) -> Arm:
        """Return the arm that makes the networks which cells with these values start from.

        Args:
            values: plain values of the field `checkpoint`, and of all that a pre-training may have
                in common with what starts from it.
        """
        checkpoint = values["checkpoint"]
        shared = {name: values[name] for name in shared_fields(checkpoint)}
        key = dumps([checkpoint, shared])
        if key not in self._arms:
            self._arms[key] = self._made(checkpoint, shared)
        return self._arms[key]

    def _made(self, checkpoint: Mapping[str, Any], shared: Mapping[str, Any]) -> Arm:
        """Return the arm of a checkpoint, with these values of the study that starts from it."""
        spec = self._trains[key_of(checkpoint)]
        values = {**spec.base.to_dict(), **shared}
        several = checkpoint.get("per") == "seed" or "networks" in checkpoint
        if several and is_trained(values["checkpoint"]):
            # A network of its own from the first step of a chain on
            values["checkpoint"] = {"per": "seed", **values["checkpoint"]}
            values["checkpoint"].pop("networks", None)
        spec = replace(spec, base=TrialConfig.from_dict(values))

        chosen = dict(checkpoint.get("trial") or {})
        seed = int(chosen.pop("seed", spec.seeds[0]))
        cell = {**expand(spec).reference, **chosen}
        builder = self._build(spec)
        own = None if several else seed
        return Arm(spec, builder, cell, builder.cell_id(cell), own, checkpoint)
