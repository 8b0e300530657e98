"""The commands `train`, `translate`, and `export`, which handle a single network."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ablate.commands.output import Json, Quiet, say, show, show_json
from ablate.commands.output import size as megabytes
from ablate.commands.studies import Out, Set, Study, planned_study, refuse_missing
from ablate.disk.folder import StudyFolder, TrialFolder

if TYPE_CHECKING:
    from ablate.study.nouns import Plan, Trial
    from g2g_core.checkpoints.checkpoint_file import Saved
    from g2g_core.record import Record

LOG_LINES = 50
"""Approximate number of lines with losses that `train` prints."""


def train(
    study: Study,
    trial: Annotated[
        str | None,
        typer.Option(
            "--trial", metavar="ID", help="A trial of the plan.  [default: the reference's first]"
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option("--save", help="Copy the checkpoint of the last step to this file."),
    ] = None,
    out: Out = Path("runs"),
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, or cuda:N.")] = "cpu",
    overrides: Set = None,
    quiet: Quiet = False,
) -> int:
    """Train one trial of a study in this process; that is how pre-trained networks are made.

    Repeat the command to resume from the last checkpoint. A later `run` of the study takes the
    trial as done.
    """
    from ablate.disk import locks
    from ablate.disk.room import writable
    from ablate.study.nouns import StudyError
    from ablate.trainers.resolve import load_entry, trainer_of
    from ablate.trial import trial_file
    from ablate.trial.checkpoints import last_checkpoint
    from ablate.trial.run import run_trial

    if save is not None and not save.parent.is_dir():
        raise StudyError(f"--save: {save.parent}: no such folder")
    if device != "cpu":
        _refuse_missing_gpu(device)

    planned = planned_study(study, overrides, None, None)
    refuse_missing(planned)
    trainer = trainer_of(planned.spec)
    if not trainer.in_process:
        raise StudyError(f"train: the trials of {study} are runs of a program, which `run` starts")

    chosen = _chosen(planned, trial)
    if chosen.tuned is not None:
        raise StudyError(
            f"train: {study} tunes {chosen.tuned.path}, and `run` tries its values first; to train "
            f"with a value, add --set tune=null --set base.{chosen.tuned.path}=VALUE"
        )
    chosen = _located(chosen, out)
    folder = StudyFolder(out / planned.spec.name).trial(chosen.id).resolve()
    writable(folder.parent.parent)
    if not locks.is_held(TrialFolder(folder).study.lock):
        # A command that was killed while it stopped leaves this file
        (TrialFolder(folder).study.stop).unlink(missing_ok=True)

    if trial_file.status_of(trial_file.standing(folder)) not in trial_file.ENDED:

        def log(record: "Record") -> None:
            if (
                record.kind != "train"
                or record.step % max(1, chosen.config.steps // LOG_LINES) == 0
            ):
                say(_line(record, chosen), quiet)

        result = run_trial(chosen, folder, [log], device, train=load_entry(trainer.entry))
        if result.status != "finished":
            say(f"{chosen.id} {result.status}: {result.error}")
            return 130 if result.status == "interrupted" else 1

    last = last_checkpoint(TrialFolder(folder).checkpoints)
    if save is not None:
        if last is None:
            raise StudyError(f"--save: {folder}: the trial left no checkpoint")
        shutil.copyfile(last, save)
    show(str(save or last or folder))
    return 0


def translate(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="Of G2G-Ablate, FUNIT, or the authors.")
    ],
    content: Annotated[Path, typer.Argument(metavar="CONTENT", help="An image.")],
    class_images: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="CLASS...", help="Images of another class; of several the mean code counts."
        ),
    ] = None,
    to: Annotated[Path, typer.Option("--to", help="Folder to write to.")] = Path("translated"),
    size: Annotated[
        int | None,
        typer.Option("--size", min=16, help="Pixels.  [default: the checkpoint's, else 128]"),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights", help="generator or average.  [default: the average, if there is one]"
        ),
    ] = None,
    fade: Annotated[
        str | None,
        typer.Option(
            "--fade",
            metavar="NAME[=FROM:TO]",
            help="Fade an attribute of CONTENT instead, with a Fader network; takes no CLASS.",
        ),
    ] = None,
    beyond: Annotated[
        float,
        typer.Option(
            "--beyond", min=0.0, help="How far --fade goes beyond both values; 1: as far again."
        ),
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Mix two images, and mix the mixed ones again: the paper's Fig. 7.

    Writes `mixed_1.png` (the content of CLASS in the class of CONTENT), `mixed_2.png` (the content
    of CONTENT in the class of CLASS), both full reconstructions, and `figure.png` with the rows
    originals, mixed, reconstructed. Several images of one class (k-shot) give their mean class
    code; the first of them is the one that is shown and mixed. With --fade, writes `fade.png`: the
    image, then nine images from one value of the attribute to the other.
    """
    import torch

    from ablate.running.resources import available_memory
    from ablate.study.nouns import StudyError
    from ablate.trial import figure
    from g2g_core.checkpoints.checkpoint import read
    from g2g_core.data.decode import header
    from g2g_core.translation import g2g, generator_of, memory_of, open_image

    saved = read(checkpoint)
    side = size or int(saved.facts.get("config", {}).get("image_size", 128))
    if fade is not None:
        _fade(saved, content, class_images, fade, beyond, side, to, as_json)
        return
    if not class_images:
        raise StudyError("translate: an image of another class is missing, after CONTENT")
    generator = generator_of(saved, weights)
    needed, free = memory_of(generator, side, 1 + len(class_images)), available_memory()
    if needed > free:
        raise StudyError(
            f"--size {side}: needs about {megabytes(needed / 2**20)} of memory; "
            f"{megabytes(free / 2**20)} is free"
        )
    image, *shots = [open_image(path, side) for path in (content, *class_images)]
    for path in dict.fromkeys(path for path in (content, *class_images) if header(path)[1]):
        say(f"{path}: has several frames or pages; only the first one is used")

    try:
        rows = g2g(generator, image, shots[0], torch.stack(shots) if len(shots) > 1 else None)
    except RuntimeError as error:
        raise StudyError(
            f"--size {side}: the network cannot take images of this size: {error}"
        ) from None
    if rows["mixed"].shape != rows["real"].shape:
        made = rows["mixed"].shape[-1]
        raise StudyError(
            f"--size {side}: the network makes images of {made} pixels of them; --size {made} fits"
        )

    try:
        to.mkdir(parents=True, exist_ok=True)
        files = {}
        for name, row in (("mixed", rows["mixed"]), ("reconstructed", rows["full_recon"])):
            for number in (0, 1):
                files[f"{name}_{number + 1}"] = to / f"{name}_{number + 1}.png"
                figure.save_image(row[number], files[f"{name}_{number + 1}"])
        files["figure"] = to / "figure.png"
        figure.save(rows, files["figure"])
    except OSError as error:
        raise StudyError(f"--to: {to}: cannot be written: {error.strerror or error}") from None

    if as_json:
        show_json({name: str(path) for name, path in files.items()})
    else:
        for path in files.values():
            show(str(path))


def _fade(
    saved: "Saved",
    content: Path,
    class_images: list[Path] | None,
    request: str,
    beyond: float,
    side: int,
    to: Path,
    as_json: bool,
) -> None:
    """Write the fade of an attribute; arguments as for `translate`.

    Raises:
        StudyError: images of a class are given too, or the folder can't be written.
    """
    import torch

    from ablate.study.nouns import StudyError
    from ablate.trial import figure
    from g2g_core.systems import translating
    from g2g_core.translation import open_image

    if class_images:
        raise StudyError("--fade: takes one image; a Fader network takes no class from an image")
    own = int(saved.facts.get("config", {}).get("image_size", side))
    if side != own:
        raise StudyError(f"--size {side}: this network takes images of {own} pixels")
    image = open_image(content, side)
    images, (name, first, last) = translating.fade(saved, image, request, beyond)
    try:
        to.mkdir(parents=True, exist_ok=True)
        figure.save_image(torch.cat([image, *images], dim=2), to / "fade.png")
    except OSError as error:
        raise StudyError(f"--to: {to}: cannot be written: {error.strerror or error}") from None
    if as_json:
        show_json({"fade": str(to / "fade.png"), "attribute": name, "from": first, "to": last})
    else:
        show(str(to / "fade.png"))


def export(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="Of a FUNIT model.")],
    to: Annotated[Path, typer.Option("--to", help="Folder to write to.")] = Path("funit"),
    name: Annotated[
        str, typer.Option("--name", help="File of the generator, with gen in it.")
    ] = "gen_00000000.pt",
) -> None:
    """Write a checkpoint as FUNIT's own code reads it: generator and average in one file,
    discriminator in another."""
    from ablate.study.nouns import StudyError
    from g2g_core.checkpoints.layouts import read, write_funit

    if "gen" not in name or Path(name).name != name:
        raise StudyError(
            f"--name {name}: must be a file's name with gen in it, e.g. gen_00000000.pt"
        )

    saved = read(checkpoint)
    try:
        written = write_funit(saved, to, name)
    except OSError as error:
        raise StudyError(f"--to: {to}: cannot be written: {error.strerror or error}") from None
    for path in written:
        show(str(path))


def _chosen(planned: "Plan", start: str | None) -> "Trial":
    """Return the only trial whose id begins with `start`.

    Without `start`, it is the reference with the first seed, or else the first trial of the plan.

    Raises:
        StudyError: no trial or several trials begin so.
    """
    from ablate.study.nouns import StudyError

    if start is None:
        reference = [t for t in planned.trials if dict(t.levels) == dict(planned.reference)]
        return (reference or list(planned.trials))[0]

    matches = [trial for trial in planned.trials if trial.id.startswith(start)]
    if len(matches) != 1 or not start:
        raise StudyError(
            f"--trial {start}: {len(matches)} trials of the plan start so; `plan` lists them"
        )
    return matches[0]


def _located(trial: "Trial", out: Path) -> "Trial":
    """Return the trial with the path of the checkpoint that it starts from.

    Raises:
        StudyError: its pre-training has left no checkpoint.
    """
    from dataclasses import replace

    from ablate.planning.pretraining import folder_of
    from ablate.study.nouns import StudyError
    from ablate.trial.start import NotTrained, trained_checkpoint

    if trial.start is None:
        return trial
    try:
        path = trained_checkpoint(folder_of(trial.start, out.resolve()))
    except NotTrained as why:
        raise StudyError(
            f"{why}; `run` trains what a study starts from, and `train` does not"
        ) from None
    return replace(trial, config=replace(trial.config, checkpoint=str(path)))  # type: ignore[type-var]


def _refuse_missing_gpu(device: str) -> None:
    """Raise StudyError if the device isn't a GPU's name, or this machine has no GPU."""
    from ablate.running.resources import machine_gpus
    from ablate.study.nouns import StudyError

    if device.partition(":")[0] != "cuda":
        raise StudyError(f"--device {device}: must be cpu, cuda or cuda:N")
    if not machine_gpus():
        raise StudyError(f"--device {device}: this machine has no GPU that torch can use")


def _line(record: "Record", trial: "Trial") -> str:
    """Return a training record as a line of the log."""
    if record.kind == "note":
        facts = record.facts
        sizes = ", ".join(
            f"{name} {number:,}" for name, number in facts.get("parameters", {}).items()
        )
        start = f"resumes at step {facts['resumed_at']}" if facts.get("resumed_at") else "starts"
        return f"{trial.id} {start}; parameters: {sizes}"

    shown = {
        name: value
        for name, value in record.values.items()
        if not name.startswith(("health/", "time/"))
    }
    numbers = " ".join(f"{name.partition('/')[2]} {value:.4g}" for name, value in shown.items())
    return f"{record.step}/{trial.config.steps} {record.kind} {numbers}"


COMMANDS = (train, translate, export)
