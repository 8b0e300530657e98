"""The command `check`, which looks for suspicious images in a dataset."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ablate.commands.output import Json, Quiet, say, show, show_json
from ablate.commands.studies import Set

if TYPE_CHECKING:
    from g2g_core.config import TrialConfig
    from g2g_core.data.inspection import Inspection

MOST_LINES = 20
"""Limit for the suspicious images that the command prints per kind."""

CELEBA = "img_align_celeba"
"""Folder of images that CelebA's layout has."""


def check(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="A folder of class folders, CelebA's folder, or a study."
        ),
    ],
    train_list: Annotated[
        Path | None,
        typer.Option("--train-list", help="Check the files of this list, `class/file` per line."),
    ] = None,
    test_list: Annotated[
        Path | None, typer.Option("--test-list", help="The list of the test classes' files.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            "--size", min=4, help="Side of training images.  [default: the study's or 128]"
        ),
    ] = None,
    overrides: Set = None,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", help="HTML page of the suspicious images.  [default: check.html]"),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Look for suspicious images: blank, equal, leaking, mislabeled, tiny, unreadable.

    DATA is what `data.root` of a study file can be, or a study, whose data is then checked. Finds
    images of one color, exact and near-duplicates, images that are in two classes or in both
    training and evaluation, small and long images, files that can't be read, and uneven classes.
    Writes the suspicious images to a page, unless --json is given without --sheet. Exits with 1 if
    an image looks suspicious.
    """
    from ablate.commands.sheet import write_sheet
    from g2g_core.data import all_datasets
    from g2g_core.data.image_data import ImageData
    from g2g_core.data.inspection import inspect

    inspections: dict[str, Inspection] = {}
    for config in _configs(data, train_list, test_list, size, overrides):
        made = all_datasets()[config.dataset](config)
        if isinstance(made, ImageData):
            key = f"{made.digest} {made.image_size}"
            if key not in inspections:
                say(f"checking {len(made.files)} images below {made.set.folder}", quiet)
                inspections[key] = inspect(made, config.eval_pairs)
        else:
            say(f"{config.dataset}: has no image files to check", quiet)

    checked = list(inspections.values())
    suspicious = any(inspection.suspects for inspection in checked)
    page = sheet or (None if as_json or not suspicious else Path("check.html"))
    if page is not None:
        write_sheet(page, checked)

    if as_json:
        show_json(
            {
                "datasets": [_record(inspection) for inspection in checked],
                "sheet": None if page is None else str(page),
            }
        )
    else:
        for inspection in checked:
            _describe(inspection)
        if page is not None:
            show(str(page))
    return 1 if suspicious else 0


def _configs(
    data: str,
    train_list: Path | None,
    test_list: Path | None,
    size: int | None,
    overrides: list[str] | None,
) -> "list[TrialConfig]":
    """Return the configs whose data is to be checked.

    Raises:
        StudyError: DATA is neither a folder nor a study, or options don't go with it.
    """
    from dataclasses import replace

    from ablate.study.nouns import StudyError
    from g2g_core.config import TrialConfig

    if not Path(data).is_dir():
        if train_list or test_list:
            raise StudyError("--train-list, --test-list: go with a folder; a study names its lists")
        configs = _configs_of_study(data, overrides)
        return [replace(config, image_size=size or config.image_size) for config in configs]

    if overrides:
        raise StudyError("--set: goes with a study, not with a folder")
    if test_list and not train_list:
        raise StudyError("--test-list: goes with --train-list")
    options: dict[str, Any] = {"root": data, "cache": "off"}
    dataset = "celeba" if (Path(data) / CELEBA).is_dir() else "image_folder"
    if train_list:
        dataset = "list_files"
        options |= {"train_list": str(train_list), "test_list": str(test_list or "")}
    # With batches of one, a set of two images can be checked.
    return [TrialConfig(dataset=dataset, data=options, image_size=size or 128, batch_size=1)]


def _configs_of_study(study: str, overrides: list[str] | None) -> "list[TrialConfig]":
    """Return a config of each dataset that the arms of a study use.

    Raises:
        StudyError: the study can't be read, or another trainer reads its data.
    """
    from ablate.planning.load import load_study
    from ablate.study.design import expand
    from ablate.study.nouns import StudyError
    from ablate.study.patching import Patched
    from g2g_core.config import TrialConfig

    if not Path(study).exists() and Path(study).suffix not in (".yaml", ".yml") and "/" in study:
        raise StudyError(f"{study}: no such folder or study file")
    spec = load_study(study, overrides or ())
    if spec.trainer is not None and spec.trainer.record() is not None:
        raise StudyError(f"{study}: its trainer reads the data itself; give the folder instead")

    patched = Patched(spec.base, spec.factors)
    different: dict[str, TrialConfig] = {}
    for cell in expand(spec).cells:
        config = TrialConfig.from_dict({**patched.values(cell), "seed": spec.seeds[0]})
        different.setdefault(repr((config.dataset, config.data, config.image_size)), config)
    return list(different.values())


def _describe(inspection: "Inspection") -> None:
    """Print what was found, for people: a heading, and a line per suspicious image."""
    from g2g_core.data.inspection import KINDS
    from g2g_core.data.pairs import shown

    classes = len(inspection.training.keys() | inspection.evaluation.keys())
    show(
        f"{shown(inspection.root)}: {inspection.images} images in {classes} classes, "
        f"{sum(inspection.evaluation.values())} of them for evaluation"
    )
    for kind, name in KINDS.items():
        suspects = inspection.of_kind(kind)
        if suspects:
            show(f"{name}: {len(suspects)}")
        for suspect in suspects[:MOST_LINES]:
            files = " = ".join(shown(file) for file in suspect.files[:4])
            more = f" and {len(suspect.files) - 4} more" if len(suspect.files) > 4 else ""
            show(f"  {files}{more} ({suspect.why})")
        if len(suspects) > MOST_LINES:
            show(f"  and {len(suspects) - MOST_LINES} more; --json lists all")
    for note in inspection.notes:
        show(note)
    if not inspection.suspects:
        show("no image looks suspicious")


def _record(inspection: "Inspection") -> dict[str, Any]:
    """Return what was found, for programs."""
    from dataclasses import asdict

    from g2g_core.data.pairs import printable

    suspects = [
        {"kind": one.kind, "files": [printable(file) for file in one.files], "why": one.why}
        for one in inspection.suspects
    ]
    counts = {
        name: {printable(class_): number for class_, number in getattr(inspection, name).items()}
        for name in ("training", "evaluation")
    }
    return {
        **asdict(inspection),
        "root": printable(inspection.root),
        **counts,
        "suspects": suspects,
    }


COMMANDS = (check,)
