"""`list` and `schema`: what there is to choose from."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from ablate.commands.output import Json, show, show_json


class Menu(StrEnum):
    """What can be listed."""

    LOSSES = "losses"
    METRICS = "metrics"
    DATASETS = "datasets"
    MODELS = "models"
    DESIGNS = "designs"
    SECTIONS = "sections"
    STUDIES = "studies"


def list_(
    menu: Annotated[Menu, typer.Argument(help="What to list.")],
    options: Annotated[
        bool, typer.Option("--options", help="Also the options of each dataset or model.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List what a study file can name: losses, metrics, datasets, models, designs; report sections;
    bundled studies."""
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


def schema() -> None:
    """Print the JSON Schema of the study file, for completion and checks in editors."""
    from ablate.reading.load import schema as study_file_schema

    show_json(study_file_schema())


def entries(menu: Menu) -> list[dict[str, Any]]:
    """Name, description and what else is known of each entry of a menu."""
    from ablate.reading.menus import first_line, science_menus

    if menu is Menu.DESIGNS:
        from ablate.study.design import DESIGNS

        return [
            {"name": name, "description": first_line(design)} for name, design in DESIGNS.items()
        ]
    if menu is Menu.SECTIONS:
        from reports.sections import SECTIONS

        return [
            {"name": section.__name__, "description": first_line(section)} for section in SECTIONS
        ]
    if menu is Menu.STUDIES:
        return _studies()
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


def _studies() -> list[dict[str, Any]]:
    """The bundled study files, with their question."""
    from ablate.reading.study_tree import bundled_studies, read_study

    rows: list[dict[str, Any]] = []
    for name, path in bundled_studies().items():
        study = read_study(path).plain()
        rows.append(
            {"name": name, "description": str(study.get("question", "")), "path": str(path)}
        )
    return rows


list_.__name__ = "list"
COMMANDS = (list_, schema)
