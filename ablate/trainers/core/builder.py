"""The builder of the trials that the core trains, made from the cells of a study."""

from pathlib import Path
from typing import Any

from ablate.disk.digests import file_digest
from ablate.study.design import Cell
from ablate.study.identity import cell_id, digest, dumps, trial_id
from ablate.study.nouns import StudySpec, Trial
from ablate.study.patching import Patched, PerLevels
from ablate.study.starts import is_trained, shared_fields
from ablate.trainers.core.identity import DATA, FIELDS, Canonical, read_data, weight_files
from ablate.trainers.core.menus import Menus
from ablate.trainers.core.sources import CHOOSING, sources_of
from ablate.trainers.core.starts import Arm, Starts, digest_of
from g2g_core.checkpoints.kind import oddity
from g2g_core.checkpoints.names import files_of
from g2g_core.config import TrialConfig


class CoreBuilder:
    """Builder of ids and configs for cells, which computes once what several cells share.

    Args:
        spec: the study.
        menus: what studies can choose from.

    Attributes:
        missing: one message for each thing that cells need and this machine lacks.
        sources: module that some trial uses -> digest of its code.
        cautions: one message for each dataset with suspicious images.
    """

    def __init__(self, spec: StudySpec, menus: Menus) -> None:
        self.missing: list[str] = []
        self.cautions: list[str] = []
        self.menus = menus
        self.patched = Patched(spec.base, spec.factors)
        self.seed = spec.seeds[0]
        self.canonical = Canonical(self.patched, menus)
        self.data = PerLevels(self.patched, DATA, self._data)
        self.starts = Starts(spec.trains, lambda other: CoreBuilder(other, menus))
        names = ("checkpoint", *_shared(self.patched))
        self.checkpoint = PerLevels(self.patched, names, self._checkpoint)
        self.arm = PerLevels(self.patched, names, self._arm)
        self.weights = PerLevels(self.patched, ("model", "network"), self._weights)
        self.sources: dict[str, str] = {}
        self.code = PerLevels(self.patched, CHOOSING, self._code)
        self.identities: dict[str, dict[str, str]] = {}
        touched = [name for name in FIELDS if self.patched.levels_matter((name,))]
        self.fixed = TrialConfig.from_dict(self.patched.values(self.patched.any_cell))
        self.moving = {name: PerLevels(self.patched, (name,), _frozen(name)) for name in touched}

    def cell_id(self, cell: Cell) -> str:
        """Return the id of a cell, and keep the cell's identity for its trials."""
        identity = {
            "config": digest(self.canonical.text(cell)),
            "data": self.data(cell),
            "checkpoint": self.checkpoint(cell),
            "weights": self.weights(cell),
            "code": self.code(cell),
        }
        id_ = cell_id(identity)
        self.identities.setdefault(id_, identity)
        return id_

    def trial(self, id_: str, cell: Cell, seed: int) -> Trial:
        """Return the trial of a cell and a seed."""
        fields = dict(self.fixed.__dict__)
        for name, value in self.moving.items():
            fields[name] = value(cell)
        fields["seed"] = seed
        identity = self.identities[id_]

        arm = self.arm(cell)
        start = None if arm is None else arm.pretraining(seed)
        network = None if arm is None else arm.network(seed)
        if start is not None:
            identity = {**identity, "checkpoint": digest_of(start)}
        config = TrialConfig(**fields)
        return Trial(trial_id(identity, seed), id_, cell, seed, config, identity, start, network)

    def _code(self, values: dict[str, Any]) -> str:
        """Return the digest of the code that trials with these values use."""
        used = sources_of(values, self.menus)
        self.sources |= used
        return digest(dumps(used))

    def _data(self, values: dict[str, Any]) -> str:
        """Return the digest of the data, or `missing` if the data cannot be used."""
        config = TrialConfig.from_dict({**values, "seed": self.seed})
        try:
            content, caution = read_data(config, self.menus)
        except (ValueError, OSError) as error:
            self.missing.append(" ".join(str(error).split()))
            return "missing"
        if caution is not None:
            self.cautions.append(caution)
        return content

    def _checkpoint(self, values: dict[str, Any]) -> str:
        """Return the digest of the checkpoint that trials start from; `none` without one."""
        path = values["checkpoint"]
        if path is None:
            return "none"
        if is_trained(path):
            arm = self.starts.arm(values)
            content = arm.digest
            self.missing += arm.builder.missing
            self.cautions += arm.builder.cautions
            return content

        files = files_of(Path(path))
        content = self._content("checkpoint", *files)
        if content != "missing":
            # Noticed here, and not by torch when the first trial has started
            wrong = {file: oddity(file) for file in files}
            self.missing += [f"checkpoint: {file}: {what}" for file, what in wrong.items() if what]
        return content

    def _arm(self, values: dict[str, Any]) -> Arm | None:
        """Return the arm of another study that makes the checkpoint; None if none does."""
        return self.starts.arm(values) if is_trained(values["checkpoint"]) else None

    def _weights(self, values: dict[str, Any]) -> str:
        """Return the digest of the weights that the network's options name; `none` if none do."""
        files = weight_files(values, self.menus)
        digests = {
            name: self._content(f"network.{name}", Path(path)) for name, path in files.items()
        }
        return digest(dumps(digests)) if digests else "none"

    def _content(self, option: str, *files: Path) -> str:
        """Return the digest of the files that an option names, or `missing`."""
        content = file_digest(*files)
        if content is None:
            what = "is a folder, not a file" if files[0].is_dir() else "no such file"
            self.missing.append(f"{option}: {files[0]}: {what}")
        return content or "missing"


def _shared(patched: Patched) -> tuple[str, ...]:
    """Return the fields that the pre-trainings of some cell have in common with it."""
    checkpoints = PerLevels(patched, ("checkpoint",), lambda values: values["checkpoint"]).every()
    named = [shared_fields(value) for value in checkpoints if is_trained(value)]
    return tuple(dict.fromkeys(name for names in named for name in names))


def _frozen(name: str) -> Any:
    """Return a function that converts the plain value of a field to the value in a config."""
    return lambda values: getattr(TrialConfig.from_dict({name: values[name]}), name)
