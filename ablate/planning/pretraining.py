"""Studies that make the checkpoints which other studies start from, and their plans."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ablate.disk.folder import StudyFolder
from ablate.reading.problems import Problem, did_you_mean
from ablate.reading.study_tree import find_study, read_study
from ablate.reading.yaml_file import Node
from ablate.study.design import expand
from ablate.study.identity import digest, dumps
from ablate.study.nouns import Plan, Pretraining, StudyError, StudySpec, Trial
from ablate.study.starts import is_trained, key_of
from ablate.trial import trial_file
from ablate.trial.start import NotTrained, trained_checkpoint

MOST_LINKS = 10
"""Limit for the studies of a chain in which each starts from the next."""

Place = tuple[str | int, ...]
"""A path into a study file."""
Load = Callable[[Node], StudySpec]
"""Makes a study from its tree."""


def trained_studies(tree: Node, load: Load) -> tuple[dict[str, StudySpec], list[Problem]]:
    """Return the studies that a study's checkpoints are trained in, and what is wrong with them.

    Args:
        tree: the study, with absolute paths.
        load: makes a study from its tree.

    Raises:
        StudyError: one of the other study files has problems of its own.
    """
    studies: dict[str, StudySpec] = {}
    problems = []
    for place, node in _checkpoints(tree):
        key = key_of(node.plain())
        try:
            spec = studies.get(key) or load(_tree_of(node))
        except _Unknown as error:
            problems.append(Problem((*place, "train"), str(error)))
            continue
        studies[key] = spec
        problems += _problems(place, node, spec, str(tree.plain().get("name")))
    return studies, problems


class _Unknown(Exception):
    """There is no study of this name."""


def _checkpoints(tree: Node) -> Iterator[tuple[Place, Node]]:
    """Yield every checkpoint of a study that is trained first, with its place."""

    def below(node: Node, place: Place) -> Iterator[tuple[Place, Node]]:
        if isinstance(node.value, dict):
            for key, item in node.value.items():
                if key == "checkpoint" and is_trained(item.value):
                    yield (*place, key), item

    values = tree.value if isinstance(tree.value, dict) else {}
    if "base" in values:
        yield from below(values["base"], ("base",))
    factors = values["factors"].value if "factors" in values else {}
    for name, factor in factors.items() if isinstance(factors, dict) else ():
        inside = factor.value if isinstance(factor.value, dict) else {}
        levels = inside["levels"].value if "levels" in inside else {}
        for label, level in levels.items() if isinstance(levels, dict) else ():
            place = ("factors", name, "levels", label)
            if "path" not in inside:
                yield from below(level, place)
            elif inside["path"].value == "checkpoint" and is_trained(level.value):
                yield place, level


def _tree_of(checkpoint: Node) -> Node:
    """Return the tree of the study that a checkpoint is trained in, with its settings.

    Raises:
        _Unknown: there is no such study.
        StudyError: the file can't be read.
    """
    assert isinstance(checkpoint.value, dict)
    name = str(checkpoint.value["train"].value)
    try:
        path = find_study(name)
    except StudyError as error:
        raise _Unknown(str(error)) from None
    given = checkpoint.value["set"].value if "set" in checkpoint.value else {}
    return read_study(path, settings=given if isinstance(given, dict) else {})


def _problems(place: Place, node: Node, spec: StudySpec, own: str) -> Iterator[Problem]:
    """Yield what is wrong with a checkpoint that is trained in a study.

    Args:
        place: where the checkpoint is in the study file.
        node: the checkpoint.
        spec: the study in which it is trained.
        own: name of the study that starts from it.
    """
    if spec.name == own:
        yield Problem((*place, "train"), f"{spec.name} is the name of this study itself")
    if spec.trainer is not None:
        message = (
            f"{spec.name} has a trainer of its own, whose checkpoints these networks can't use"
        )
        yield Problem((*place, "train"), message)
        return

    if spec.tune is not None:
        path = spec.tune.path
        message = (
            f"{spec.name} tunes {path}, and a pre-training can't choose; "
            f"give the value: set: {{tune: null, base.{path}: ...}}"
        )
        yield Problem((*place, "train"), message)

    chosen = dict(node.plain().get("trial") or {})
    seed = chosen.pop("seed", None)
    if seed is not None and not str(seed).isdigit():
        yield Problem((*place, "trial", "seed"), "must be a whole number, 0 or more")
    if seed is not None and node.plain().get("per") == "seed":
        yield Problem((*place, "trial", "seed"), "with per: seed, each seed trains its own network")
    if seed is not None and "networks" in node.plain():
        yield Problem((*place, "trial", "seed"), "with networks, each has a seed of its own")
    if {"per", "networks"} <= set(node.plain()):
        yield Problem((*place, "networks"), "can't be combined with per")

    levels = {factor.name: list(factor.levels) for factor in spec.factors}
    for factor, level in chosen.items():
        if factor not in levels:
            hint = did_you_mean(factor, [*levels, "seed"])
            yield Problem((*place, "trial", factor), f"no such factor in {spec.name}{hint}")
        elif level not in levels[factor]:
            hint = did_you_mean(str(level), levels[factor])
            yield Problem((*place, "trial", factor), f"no such level in {spec.name}{hint}")


def pretrainings(trials: Iterable[Trial]) -> tuple[Pretraining, ...]:
    """Return what trials start from, each once, in an order in which they can run."""
    return tuple(one for one in needed(trials) if not one.tries)


def tries(trials: Iterable[Trial]) -> tuple[Pretraining, ...]:
    """Return the tries among which trials choose a value, each once."""
    return tuple(one for one in needed(trials) if one.tries)


def needed(trials: Iterable[Trial]) -> tuple[Pretraining, ...]:
    """Return the trials of other studies that must run first, in an order in which they can."""
    ordered: dict[str, Pretraining] = {}

    def add(trial: Trial) -> None:
        for one in needs_of(trial):
            if one.name not in ordered:
                add(one.trial)
                ordered[one.name] = one

    for trial in trials:
        add(trial)
    return tuple(ordered.values())


def needs_of(trial: Trial) -> tuple[Pretraining, ...]:
    """Return the trials of other studies that must end before a trial can start."""
    tuned = trial.tuned
    start = () if trial.start is None else (trial.start,)
    if tuned is None:
        return start
    tried = (one for values in tuned.tries for one in values.trials)
    return (*start, *(Pretraining(tuned.spec, one, tries=True) for one in tried))


def needed_plans(trials: Iterable[Trial]) -> list[Plan]:
    """Return the plans of what must run before trials can start, one for each study.

    The trials of each are in an order in which they can run, and so are the studies, unless two of
    them start from each other.
    """
    groups: dict[str, list[Pretraining]] = {}
    for start in needed(trials):
        groups.setdefault(start.spec.name, []).append(start)
    return [_plan_of(starts) for starts in groups.values()]


def _plan_of(starts: Sequence[Pretraining]) -> Plan:
    """Return the plan of trials of one study, which are all that others need of it."""
    spec, trials = starts[0].spec, [start.trial for start in starts]
    seeds = tuple(dict.fromkeys(trial.seed for trial in trials))
    outcome = replace(spec.outcome, looks=(), spend=None)
    return Plan(
        spec=replace(spec, seeds=seeds, outcome=outcome),
        trials=tuple(trials),
        hash=digest(dumps(sorted(trial.id for trial in trials))),
        reference=expand(spec).reference,
        cells=tuple({trial.cell_id: (trial.cell_id, trial.levels) for trial in trials}.values()),
    )


def waiting(trials: Iterable[Trial], out: Path) -> list[Pretraining]:
    """Return the trials of other studies that are still to run first, in running order."""
    return [one for one in needed(trials) if not _is_done(one, out)]


def _is_done(one: Pretraining, out: Path) -> bool:
    """Return whether a trial has left what others need: its outcome, or its checkpoint."""
    folder = folder_of(one, out)
    if one.tries:
        return trial_file.status_of(trial_file.standing(folder)) in trial_file.ENDED
    try:
        trained_checkpoint(folder)
    except NotTrained:
        return False
    return True


def folder_of(start: Pretraining, out: Path) -> Path:
    """Return the folder of a pre-training's trial."""
    return StudyFolder(out / start.spec.name).trial(start.trial.id)
