"""The files of a plan, `plan.json`, `plan.csv`, and `study.resolved.yaml`, and their changes."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

from ablate.disk.folder import StudyFolder
from ablate.planning.forks import steps_saved
from ablate.planning.plan import outcome_record, spending
from ablate.planning.pretraining import pretrainings, tries
from ablate.reading.yaml_text import dumped
from ablate.study.design import design_of
from ablate.study.nouns import (
    Factor,
    Plan,
    Pretraining,
    StudyError,
    StudySpec,
    Trial,
    Tuning,
)
from ablate.study.starts import block_of, networks_of
from ablate.trainers.resolve import trainer_of
from ablate.trainers.trainer import metric_record
from g2g_base import atomic
from g2g_base.spreadsheet import safe
from reports.documents.names import ArmNames
from reports.documents.plan import (
    FactorDocument,
    NetworkDocument,
    PlanDocument,
    PlannedTrial,
    PretrainingDocument,
    TuningDocument,
)

NAMED_VERSIONS = ("g2g-ablate", "torch", "torchvision", "numpy", "ray", "mlflow")
"""Packages whose versions plan.json records."""

MOST_FILES = 5
"""Largest number of changed sources that a message names; it counts the others."""

NAME = "plan.json"


def read_plan(folder: Path) -> PlanDocument:
    """Return the plan in a study's folder, `OUT/<study>`.

    Raises:
        StudyError: the folder has no plan, or the plan is damaged.
    """
    plan = plan_document(folder)
    if "trials" in plan:
        return plan

    if StudyFolder(folder).plan.exists():
        raise StudyError(
            f"{StudyFolder(folder).plan}: is damaged; `run` writes it again, and reuses the trials"
        )

    # The user may have given the folder that holds the studies, so name the studies in it.
    below = sorted(path.parent.name for path in folder.glob(f"*/{NAME}"))
    hint = f"; studies in it: {', '.join(below)}" if below else ""
    raise StudyError(
        f"{folder}: {'no study here' if folder.is_dir() else 'no such folder'} (no {NAME}){hint}"
    )


def plan_document(folder: Path) -> PlanDocument:
    """Return the plan in a study's folder, an empty one if it is missing or damaged."""
    return cast(PlanDocument, atomic.read_json(StudyFolder(folder).plan))


def plan_record(plan: Plan) -> PlanDocument:
    """Return the content of `plan.json`: all that a report needs to know about the study."""
    spec, trainer = plan.spec, trainer_of(plan.spec)
    outcome = outcome_record(spec)
    if spec.outcome.looks:
        outcome["spend"] = spending(spec)

    record: PlanDocument = {
        "name": spec.name,
        "question": spec.question,
        "hash": plan.hash,
        "design": dict(spec.design),
        "turned": design_of(spec).turned,
        "seeds": sorted({trial.seed for trial in plan.trials}) if plan.trials else list(spec.seeds),
        "outcome": outcome,
        "factors": {factor.name: factor_record(factor) for factor in spec.factors},
        "base": spec.base.to_dict(),
        "reference": dict(plan.reference),
        "reference_cell": next(
            (id_ for id_, levels in plan.cells if levels == plan.reference), None
        ),
        "cells": [{"cell_id": id_, "levels": dict(levels)} for id_, levels in plan.cells],
        "trials": [trial_record(trial) for trial in plan.trials],
        "excluded": [dict(cell) for cell in plan.excluded],
        "equal_cells": [[dict(cell) for cell in group] for group in plan.equal_cells],
        "aliases": {term: list(others) for term, others in plan.aliases.items()},
        "metrics": metric_record(trainer.metrics(spec)),
        "losses": dict(trainer.losses()),
        "sources": dict(plan.sources),
        "versions": versions(),
    }

    if foreign := trainer.record():
        record["trainer"] = foreign
    starts = pretrainings(plan.trials)
    if all(trial.config.steps for trial in plan.trials):
        record["steps"] = {
            "fixed": sum(trial.config.steps for trial in plan.trials),
            "trials": sum(trial.config.steps for trial in plan.trials),
            "shared": steps_saved(plan.trials, trainer),
            "pretrainings": sum(start.trial.config.steps for start in starts),
        }
    if starts:
        needed = Counter(start.name for trial in plan.trials for start in pretrainings([trial]))
        record["pretrainings"] = [_pretraining_record(one, needed[one.name]) for one in starts]
    if networks_of(spec) is not None:
        record["networks"] = _network_records(plan)
    if spec.tune is not None:
        record["tuning"] = _tuning_record(spec.tune, plan.trials)
        if "steps" in record:
            every = tries(plan.trials)
            record["steps"]["tuning"] = sum(one.trial.config.steps for one in every)
    if spec.expect:
        record["expect"] = dict(spec.expect)
    for key in ("label", "description"):
        if key in spec.words:
            record[key] = str(spec.words[key])
    for metric, words in spec.words.get("metrics", {}).items():
        record["metrics"][metric] |= words

    # Written down, so that a later version names the arms of this plan in the same way
    names = ArmNames(record)
    for factor, letter in names.letters.items():
        record["factors"][factor]["code"] = letter
    for cell in record["cells"]:
        cell["arm_code"] = names.code(cell["levels"])
    return record


def factor_record(factor: Factor) -> FactorDocument:
    """Return a factor as JSON."""
    record: FactorDocument = {
        "levels": {label: dict(patch) for label, patch in factor.levels.items()},
        "reference": factor.reference,
        "when": dict(factor.when),
    }
    if factor.ordered is not None:
        record["ordered"] = factor.ordered
    if factor.code is not None:
        record["code"] = factor.code
    return cast(FactorDocument, {**record, **factor.words})


def trial_record(trial: Trial) -> PlannedTrial:
    """Return a trial as JSON, without its config, which is in the trial's folder."""
    record: PlannedTrial = {
        "trial_id": trial.id,
        "cell_id": trial.cell_id,
        "seed": trial.seed,
        "levels": dict(trial.levels),
        "label": trial.label,
        "identity": dict(trial.identity),
    }
    if trial.network is not None:
        record["network"] = trial.network
    return record


def _network_records(plan: Plan) -> list[NetworkDocument]:
    """Return the networks that the seeds of a plan are repeated with, with their trials' seeds."""
    seeds: dict[int, list[int]] = {}
    for seed in dict.fromkeys(trial.seed for trial in plan.trials):
        seeds.setdefault(block_of(seed), []).append(seed)
    return [{"network": network, "seeds": own} for network, own in seeds.items()]


def _pretraining_record(start: Pretraining, trials: int) -> PretrainingDocument:
    """Return a trial of another study that runs first, for this number of trials, as JSON."""
    trial = start.trial
    return {
        "study": start.spec.name,
        "trial_id": trial.id,
        "seed": trial.seed,
        "label": trial.label,
        "steps": trial.config.steps,
        "trials": trials,
        "starts_from": trial.start.trial.id if trial.start is not None else None,
    }


def _tuning_record(tune: Tuning, trials: Iterable[Trial]) -> TuningDocument:
    """Return the value that every arm chooses, with the tries of all arms, as JSON."""
    arms = {trial.cell_id: trial.tuned for trial in trials if trial.tuned is not None}
    return {
        "path": tune.path,
        "study": tune.study.name,
        "values": list(tune.values.values()),
        "seeds": list(tune.study.seeds),
        "tries": [
            {"trial_id": trial.id, "cell_id": cell, "seed": trial.seed, "value": one.value}
            for cell, tuned in arms.items()
            for one in tuned.tries
            for trial in one.trials
        ],
    }


def plan_csv(plan: Plan) -> str:
    """Return the content of `plan.csv`, one row per trial."""
    factors = [factor.name for factor in plan.spec.factors]
    names = ArmNames(plan_record(plan))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")

    several = any(trial.network is not None for trial in plan.trials)
    network = ["network"] if several else []
    rows.writerow(
        ["trial_id", "cell_id", "seed", *network, "arm_code", *(f"level.{f}" for f in factors)]
    )
    for trial in plan.trials:
        levels = [safe(trial.levels[factor]) for factor in factors]
        code = safe(names.code(trial.levels))
        number = [trial.network] if several else []
        rows.writerow([trial.id, trial.cell_id, trial.seed, *number, code, *levels])
    return text.getvalue()


def resolved_yaml(spec: StudySpec) -> str:
    """Return the study as a study file with absolute paths and all defaults, which loads again."""
    study: dict[str, Any] = {"name": spec.name, "question": spec.question, **spec.words}
    trainer = trainer_of(spec)
    if record := trainer.record():
        study["trainer"] = record.get("object", record)
    study["base"], levels = trainer.written(spec)

    if spec.factors:
        study["factors"] = {
            factor.name: {
                "levels": {label: dict(patch) for label, patch in levels[factor.name].items()}
            }
            | ({"when": dict(factor.when)} if factor.when else {})
            | ({} if factor.ordered is None else {"ordered": factor.ordered})
            | ({} if factor.code is None else {"code": factor.code})
            | dict(factor.words)
            for factor in spec.factors
        }
    study["design"] = _design(spec.design)
    study["seeds"] = list(spec.seeds)
    study["outcome"] = outcome_record(spec)
    if spec.tune is not None:
        tries = spec.tune.study
        _, tried = trainer_of(tries).written(tries)
        values = [patch[spec.tune.path] for patch in tried[spec.tune.factor].values()]
        study["tune"] = {"path": spec.tune.path, "values": values, "seeds": list(tries.seeds)}

    if spec.exclude:
        study["exclude"] = [dict(rule) for rule in spec.exclude]
    if spec.equal_arms:
        study["equal_arms"] = [[dict(arm) for arm in group] for group in spec.equal_arms]
    if spec.expect:
        study["expect"] = dict(spec.expect)
    if spec.notes:
        study["notes"] = spec.notes
    return dumped(study)


def changes(plan: Plan, older: Mapping[str, Any]) -> list[str]:
    """Return why trials of an older `plan.json` have new ids, one line per set of changed parts.

    Args:
        plan: the new plan.
        older: the content of the older `plan.json`, which may lack any key.

    Returns:
        Lines that name the changed parts of the trials' identity and count the trials.
    """
    known = {_key(trial): trial for trial in older.get("trials", ()) if isinstance(trial, Mapping)}
    counts: dict[tuple[str, ...], int] = {}
    for trial in plan.trials:
        old = known.get((frozenset(trial.levels.items()), trial.seed))
        if old is not None and old.get("trial_id") != trial.id:
            before = old.get("identity", {})
            parts = tuple(
                part for part, digest in trial.identity.items() if before.get(part) != digest
            )
            counts[parts] = counts.get(parts, 0) + 1

    files = _changed_files(plan, older)
    return [
        f"{', '.join(parts) or 'identity'} changed{files if 'code' in parts else ''}: "
        f"{count} trials run again"
        for parts, count in counts.items()
    ]


def _changed_files(plan: Plan, older: Mapping[str, Any]) -> str:
    """Return the sources that differ from an older plan's, as in ` (g2g_core.losses.funit)`."""
    before = older.get("sources")
    if not isinstance(before, Mapping):
        return " (an older version made that plan and didn't record its sources)"
    names = [name for name, code in plan.sources.items() if before.get(name) != code]
    names += [name for name in before if name not in plan.sources]

    shown = names[:MOST_FILES] + (
        [f"{len(names) - MOST_FILES} more"] if len(names) > MOST_FILES else []
    )
    return f" ({', '.join(shown)})" if shown else ""


def versions() -> dict[str, str]:
    """Return the versions of the packages in `NAMED_VERSIONS` that are installed."""
    installed = {}
    for name in NAMED_VERSIONS:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            continue
    return installed


def _key(trial: Mapping[str, Any]) -> tuple[frozenset[tuple[str, str]], int]:
    """Return the levels and the seed of a trial in plan.json, which name it across plans."""
    return frozenset(dict(trial.get("levels", {})).items()), int(trial.get("seed", -1))


def _design(design: Mapping[str, Any]) -> Any:
    """Return the design as the study file writes it."""
    options = {key: value for key, value in design.items() if key != "kind"}
    if not options:
        return design["kind"]
    return {design["kind"]: options.get("cells", options)}
