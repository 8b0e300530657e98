"""The commands `list` and `schema`, which show what a study file can contain."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from ablate.commands.output import Json, show, show_json


class Menu(StrEnum):
    """The menus that `list` shows."""

    LOSSES = "losses"
    METRICS = "metrics"
    DATASETS = "datasets"
    MODELS = "models"
    DESIGNS = "designs"
    SECTIONS = "sections"
    STUDIES = "studies"
    TRAINERS = "trainers"


def list_(
    menu: Annotated[Menu, typer.Argument(help="What to list.")],
    options: Annotated[
        bool, typer.Option("--options", help="Also the options of each dataset, model, or design.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List what a study file can name: losses, metrics, datasets, models, designs; report sections;
    bundled studies; trainers."""
    rows = entries(menu)
    if as_json:
        show_json(rows)
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        show(f"{row['name']:<{width}}  {row['description']}")
        if options:
            for name, rule in row.get("options", {}).items():
                show(f"    {name}: {rule['description']} [{rule.get('default')}]")


def schema(
    trainer: Annotated[
        str | None,
        typer.Option(
            "--trainer", metavar="NAME", help="An installed trainer, or package.module:object."
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of the study file, for completion and checks in editors.

    With --trainer, the schema is that of a study file which names this trainer.
    """
    from ablate.planning.load import schema as study_file_schema
    from ablate.trainers.objects.trainer import ObjectTrainer

    show_json(study_file_schema(None if trainer is None else ObjectTrainer(trainer)))


def entries(menu: Menu) -> list[dict[str, Any]]:
    """Return the entries of a menu, each with its name, description, and further facts.

    Metrics also have `better` and `unit`, datasets, models, and designs `options`, and studies
    `path`.
    """
    from ablate.reading.options import first_line
    from ablate.trainers.core.menus import science_menus

    if menu is Menu.DESIGNS:
        return _designs()

    if menu is Menu.SECTIONS:
        from reports.sections import all_sections

        return [
            {"name": section.__name__, "description": first_line(section)}
            for section in all_sections()
        ]

    if menu is Menu.STUDIES:
        return _studies()
    if menu is Menu.TRAINERS:
        return _trainers()

    choices = getattr(science_menus(), menu.value)
    rows = []
    for choice in choices.values():
        row: dict[str, Any] = {"name": choice.name, "description": choice.description}
        if menu is Menu.METRICS:
            row |= {"better": choice.better, "unit": choice.unit}
        if choice.options:
            row["options"] = dict(choice.options)
        rows.append(row)
    return rows


def _designs() -> list[dict[str, Any]]:
    """Return the designs, each with the options that have names."""
    from ablate.reading.options import first_line
    from ablate.reading.schema import design_options
    from ablate.study.design import all_designs

    rows: list[dict[str, Any]] = []
    for name, design in all_designs().items():
        row: dict[str, Any] = {"name": name, "description": first_line(design.cells)}
        if options := (design_options(name, design) or {}).get("properties"):
            row["options"] = options
        rows.append(row)
    return rows


def _studies() -> list[dict[str, Any]]:
    """Return the bundled study files, each with its question."""
    from ablate.reading.study_tree import bundled_studies, read_study

    rows: list[dict[str, Any]] = []
    for name, path in bundled_studies().items():
        study = read_study(path).plain()
        rows.append(
            {"name": name, "description": str(study.get("question", "")), "path": str(path)}
        )
    return rows


def _trainers() -> list[dict[str, Any]]:
    """Return the trainers: the core, any program, the systems, and installed Python objects."""
    from ablate.trainers.objects.load import named_trainers
    from ablate.trainers.objects.trainer import ObjectTrainer

    rows: list[dict[str, Any]] = [
        {"name": "(none)", "description": "The core: networks that disentangle images"},
        {"name": "{command: ...}", "description": "Any program that writes its metrics to a file"},
    ]
    for name, entry in named_trainers().items():
        trainer = ObjectTrainer(name)
        words = trainer.trainer.description or entry.value
        rows.append({"name": name, "description": words, "options": trainer.options})
    return rows


# The command gets its name from the function, which can't be called `list` in Python
list_.__name__ = "list"
COMMANDS = (list_, schema)
