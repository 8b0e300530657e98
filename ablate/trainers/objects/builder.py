"""The builder of the trials that a Python object trains, made from the cells of a study."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ablate.disk.digests import file_digest, folder_digest
from ablate.reading.options import Schema
from ablate.study.design import Cell
from ablate.study.identity import canonical_options, cell_id, digest, dumps, trial_id
from ablate.study.nouns import StudySpec, Trial
from ablate.study.patching import Patched, PerLevels
from ablate.trainers.objects.config import ObjectConfig
from ablate.trainers.objects.load import load_object, place_of
from ablate.trainers.sources import used_sources


class ObjectBuilder:
    """Builder of ids and configs for the cells of a study.

    Args:
        name: name of the trainer.
        spec: the study.
        rules: option -> schema of its value.

    Attributes:
        missing: one message for each missing file or folder that an option names.
        sources: module that some trial uses -> digest of its code.
        cautions: always empty, since the core can't look into the trainer's data.
    """

    def __init__(self, name: str, spec: StudySpec, rules: Mapping[str, Schema]) -> None:
        self.missing: list[str] = []
        self.cautions: list[str] = []
        self.name, self.spec, self.rules = name, spec, rules
        self.patched = Patched(spec.base, spec.factors)
        self.config = PerLevels(self.patched, self.patched.fields, self._config)
        self.data = PerLevels(self.patched, self.patched.fields, self._data)
        self.sources: dict[str, str] = {}
        self.code = PerLevels(self.patched, self.patched.fields, self._code)
        self.identities: dict[str, dict[str, str]] = {}
        self._digests: dict[tuple[str, ...], str] = {}

    def cell_id(self, cell: Cell) -> str:
        """Return the id of a cell, and keep the cell's identity for its trials."""
        identity = {
            "config": self.config(cell),
            "data": self.data(cell),
            "checkpoint": "none",
            "weights": "none",
            "code": self.code(cell),
        }
        id_ = cell_id(identity)
        self.identities.setdefault(id_, identity)
        return id_

    def trial(self, id_: str, cell: Cell, seed: int) -> Trial:
        """Return the trial of a cell and a seed."""
        options = self.patched.values(cell)
        config = ObjectConfig(self.name, options, self.spec.outcome.metric, seed)
        identity = self.identities[id_]
        return Trial(trial_id(identity, seed), id_, cell, seed, config, identity)

    def _config(self, values: Mapping[str, Any]) -> str:
        """Return the digest of the trainer's name and the options in canonical form."""
        return digest(dumps([self.name, canonical_options(values, self.rules)]))

    def _code(self, values: Mapping[str, Any]) -> str:
        """Return the digest of the code that trials with these options use."""
        modules = [place_of(self.name).partition(":")[0]]
        if (further := load_object(self.name).modules) is not None:
            modules += further(ObjectConfig(self.name, values, seed=self.spec.seeds[0]).own())
        if (known := tuple(modules)) not in self._digests:
            used = used_sources(*modules)
            self.sources |= used
            self._digests[known] = digest(dumps(used))
        return self._digests[known]

    def _data(self, values: Mapping[str, Any]) -> str:
        """Return the trainer's own digest of the data, or else that of the files in options."""
        own = load_object(self.name).data_digest
        if own is not None:
            config = ObjectConfig(self.name, values, seed=self.spec.seeds[0]).own()
            try:
                return digest(str(own(config)))
            except (OSError, ValueError) as error:
                self.missing.append(" ".join(str(error).split()))
                return "missing"

        named = {
            option: values[option]
            for option, rule in self.rules.items()
            if rule.get("format") == "path" and values.get(option)
        }
        digests = {option: self._content(option, Path(path)) for option, path in named.items()}
        return digest(dumps(digests)) if digests else "none"

    def _content(self, option: str, path: Path) -> str:
        """Return the digest of the file or folder that an option names, or `missing`."""
        content = folder_digest(path) if path.is_dir() else file_digest(path)
        if content is None:
            self.missing.append(f"base.{option}: {path}: no such file or folder")
        return content or "missing"
