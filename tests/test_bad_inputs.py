"""Mistakes of every kind, given to the real command: one clear line, exit 2 or 3, nothing begun.

`tests/ablate/reading/test_malformed_studies.py` has 145 more study files. `python -m
tests.test_bad_inputs` writes `docs/mistakes.md`, the table of what is tried here and what is said.
"""

import contextlib
import io
import os
import shlex
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
import pytest
from PIL import Image

PAGE = Path(__file__).resolve().parents[1] / "docs" / "mistakes.md"
BUNDLED = Path(__file__).resolve().parents[1] / "studies" / "checkpoints" / "synthetic32.pt"
BASE = "losses: {adversarial: 1}, steps: 2, image_size: 32, network: {filters: 2, d_filters: 2}"
STUDY = f"""name: s
seeds: [0, 1]
outcome: {{metric: mixed_l1}}
base: {{{BASE}}}
factors: {{f: {{path: losses.long_fm, levels: {{a: 0, b: 1}}}}}}
"""
PICTURES = f"""name: p
seeds: [0, 1]
outcome: {{metric: long_l1}}
base: {{dataset: image_folder, data: {{root: pics}}, {BASE}}}
factors: {{f: {{path: losses.long_fm, levels: {{a: 0, b: 1}}}}}}
"""


def pictures(classes: int = 3, images: int = 4, size: int = 32) -> None:
    """Write class folders of noise to `pics`."""
    generator = np.random.default_rng(0)
    for label in range(classes):
        folder = Path("pics") / f"c{label}"
        folder.mkdir(parents=True)
        for number in range(images):
            pixels = generator.integers(0, 255, (size, size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")


def spoiled(content: bytes) -> Callable[[], None]:
    """Return what writes class folders with one file that isn't an image."""

    def write() -> None:
        pictures()
        (Path("pics") / "c0" / "0.png").write_bytes(content)

    return write


def written(name: str, content: bytes) -> Callable[[], None]:
    """Return what writes a file."""
    return lambda: Path(name).write_bytes(content) and None


def archive() -> None:
    """Write an archive that isn't a checkpoint."""
    with zipfile.ZipFile("x.pt", "w") as file:
        file.writestr("word/document.xml", "<x/>")


def bomb() -> None:
    """Write an image of 80 million pixels."""
    pictures()
    Image.new("1", (10000, 8000)).save("pics/c0/0.png")


def dangling() -> None:
    """Write a link that leads nowhere."""
    pictures()
    Path("pics/c0/9.png").symlink_to("nowhere")


def folder(**files: str) -> Callable[[], None]:
    """Return what makes a study's folder `o/s` with these JSON files in it."""

    def write() -> None:
        place = Path("o") / "s"
        place.mkdir(parents=True)
        for name, text in files.items():
            (place / f"{name}.json").write_text(text)

    return write


def linked() -> None:
    """Plant a link in a study's folder."""
    Path("o/s").mkdir(parents=True)
    Path("o/s/report").symlink_to("/etc")


class Case(NamedTuple):
    """A mistake.

    Attributes:
        kind: heading in the table.
        words: what is typed after `g2g-ablate`.
        says: part of the line that comes.
        prepare: what makes the files.
        set: environment variables.
        code: exit code.
    """

    kind: str
    words: str
    says: str
    prepare: Callable[[], None] = lambda: None
    set: dict[str, str] = {}  # noqa: RUF012
    code: int = 2


OPTION, FILE, CHECKPOINT = "Options", "Files and folders", "Checkpoints"
TUNE = "Values that arms choose"
IMAGES, SURROUNDINGS, STORE = "Images", "Environment", "Stores and machines"
RUN = "run s.yaml --workers 0 --tracking-uri none"
TRAINED = "plan s.yaml --set 'base.checkpoint=%s'"
TUNED = "plan s.yaml --set 'tune=%s'"
CASES = (
    Case(OPTION, "rum s.yaml", "Did you mean 'run'?"),
    Case(OPTION, "run", "Missing argument"),
    Case(OPTION, "run s.yaml --worker 1", "--workers"),
    Case(OPTION, "plan s.yaml --seeds a", "whole numbers with commas"),
    Case(OPTION, "plan s.yaml --seeds 1.5", "whole numbers with commas"),
    Case(OPTION, "plan s.yaml --seeds -1", "0 or more"),
    Case(OPTION, "plan s.yaml --seeds 0,0", "different whole numbers"),
    Case(OPTION, "plan s.yaml --seeds ,", "whole numbers with commas"),
    Case(OPTION, f"{RUN} --workers -1", "greater than or equal to 0"),
    Case(OPTION, f"{RUN} --workers x", "valid integer"),
    Case(OPTION, "run s.yaml --workers 999", "this machine has"),
    Case(OPTION, f"{RUN} --cpus-per-trial 0", "greater than or equal to 0.01"),
    Case(OPTION, f"{RUN} --cpus-per-trial 999", "this machine has"),
    Case(OPTION, f"{RUN} --cpus-per-trial nan", "greater than or equal to 0.01"),
    Case(OPTION, f"{RUN} --gpus-per-trial -1", "greater than or equal to 0"),
    Case(OPTION, "plan s.yaml --gpus-per-trial 1", "goes with --pilot"),
    Case(OPTION, f"{RUN} --hours -1", "greater than or equal to 0"),
    Case(OPTION, f"{RUN} --hours nan", "greater than or equal to 0"),
    Case(OPTION, f"{RUN} --wait nan", "greater than or equal to 0"),
    Case(OPTION, f"{RUN} --max-retries -1", "greater than or equal to 0"),
    Case(OPTION, "plan s.yaml --set x", "must be path=value"),
    Case(OPTION, "plan s.yaml --set =3", "must be path=value"),
    Case(OPTION, "plan s.yaml --set base.stepz=3", "did you mean steps?"),
    Case(OPTION, "plan s.yaml --set base.steps=many", "must be a whole number"),
    Case(OPTION, "plan s.yaml --set base.steps=[", "not valid YAML"),
    Case(OPTION, "plan s.yaml --set base.image_size=7", "image_size"),
    Case(OPTION, "plan s.yaml --only f=c", "no such level; one of a, b"),
    Case(OPTION, "plan s.yaml --only g=a", "no such factor; one of f"),
    Case(OPTION, "plan s.yaml --only f", "must be factor=level"),
    Case(OPTION, "list things", "is not one of"),
    Case(OPTION, "fetch nosuch", "is not one of"),
    Case(OPTION, "ui o/s --port 99999", "less than or equal to 65535"),
    Case(OPTION, "schema --trainer nosuch", "no installed trainer has this name"),
    Case(OPTION, "schema --trainer os:path", "is not a trainer"),
    Case(OPTION, "schema --trainer nosuch:trainer", "No module named"),
    Case(FILE, "plan quickstat", "did you mean quickstart?"),
    Case(FILE, "plan nosuch.yaml", "no such study file"),
    Case(FILE, "plan .", "is a folder, not a study file"),
    Case(FILE, "plan b.yaml", "not UTF-8 text", written("b.yaml", bytes(range(256)))),
    Case(FILE, "plan b.yaml", "not UTF-8", written("b.yaml", STUDY.encode("utf-16"))),
    Case(FILE, f"{RUN} --out s.yaml", "cannot be written"),
    Case(FILE, f"{RUN} --out /proc/x", "cannot be written"),
    Case(FILE, f"{RUN} --out /dev/null", "cannot be written"),
    Case(FILE, f"{RUN} --out o", "is a symbolic link to /etc", linked),
    Case(FILE, "status nowhere", "no such folder"),
    Case(FILE, "report nowhere", "no such folder"),
    Case(FILE, "verify nowhere 3f", "no such folder"),
    Case(FILE, "ui nowhere", "no such folder"),
    Case(FILE, "prune nowhere", "no such folder"),
    Case(FILE, "pack nowhere", "no such folder"),
    Case(FILE, "sync nowhere", "no such folder"),
    Case(FILE, "status o/s", "plan.json: is damaged", folder(plan="{")),
    Case(FILE, "report o/s", "plan.json: is damaged", folder(plan="[1]")),
    Case(FILE, "train nosuch", "no such study file"),
    Case(FILE, "train s.yaml --save nowhere/x.pt", "no such folder"),
    Case(FILE, "crop-faces nowhere to list.txt", "nowhere"),
    Case(CHECKPOINT, "plan s.yaml --set base.checkpoint=x.pt", "no such file"),
    Case(CHECKPOINT, "plan s.yaml --set base.checkpoint=.", "is a folder, not a file"),
    Case(CHECKPOINT, "plan s.yaml --set base.checkpoint=x.pt", "is empty", written("x.pt", b"")),
    Case(
        CHECKPOINT,
        "plan s.yaml --set base.checkpoint=x.pt",
        "is not a checkpoint",
        written("x.pt", b"hello"),
    ),
    Case(CHECKPOINT, "plan s.yaml --set base.checkpoint=x.pt", "but not a checkpoint", archive),
    Case(
        CHECKPOINT,
        "plan s.yaml --set base.checkpoint=x.pt",
        "is cut off",
        written("x.pt", BUNDLED.read_bytes()[:100_000]),
    ),
    Case(CHECKPOINT, "translate x.pt a.png b.png", "no such checkpoint"),
    Case(
        CHECKPOINT,
        "translate x.pt a.png b.png",
        "is damaged, or holds more than tensors and plain values",
        written("x.pt", b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR."),
    ),
    Case(CHECKPOINT, f"translate {BUNDLED} a.png b.png", "a.png"),
    Case(CHECKPOINT, f"{RUN} --set base.checkpoint={BUNDLED}", "generator does not fit"),
    Case(CHECKPOINT, TRAINED % "{train: quickstat}", "did you mean quickstart?"),
    Case(CHECKPOINT, TRAINED % "{train: s.yaml}", "s is the name of this study itself"),
    Case(CHECKPOINT, TRAINED % "{train: quickstart,trial: {a: b}}", "no such factor in quickstart"),
    Case(CHECKPOINT, TRAINED % "{train: quickstart,set: {base.stepz: 1}}", "did you mean steps?"),
    Case(CHECKPOINT, TRAINED % "{train: quickstart, pre: seed}", "did you mean per?"),
    Case(TUNE, TUNED % "{path: lr_generater, values: [1, 2]}", "did you mean lr_generator?"),
    Case(TUNE, TUNED % "{path: losses.long_fm, values: [1, 2]}", "factor f sets losses.long_fm"),
    Case(TUNE, TUNED % "{path: lr_generator, values: [1, fast]}", "'fast' must be a number"),
    Case(TUNE, TUNED % "{path: lr_generator, values: [1, 2], seeds: [1]}", "1 is a replicate"),
    Case(TUNE, TUNED % "{path: lr_generator}", "needs values: [...], or a range"),
    Case(TUNE, TUNED % "{path: lr_generator, from: 0, to: 1, tries: 3, scale: log}", "above 0"),
    Case(TUNE, TUNED % "{path: checkpoint_every, values: [1, 2]}", "changes nothing"),
    Case(TUNE, f"{TUNED % '{path: lr_generator, values: [1, 2]}'} --seeds 0,100", "a replicate"),
    Case(IMAGES, "plan p.yaml", "no such folder"),
    Case(IMAGES, "plan p.yaml", "is not a folder", written("pics", b"x")),
    Case(IMAGES, "plan p.yaml", "no class folders", lambda: Path("pics").mkdir()),
    Case(IMAGES, "plan p.yaml", "at least 2 are needed", lambda: pictures(1)),
    Case(IMAGES, "plan p.yaml", "a batch takes 4", lambda: pictures(3, 1)),
    Case(IMAGES, "plan p.yaml", "1x1 pixels, too small", lambda: pictures(3, 4, 1)),
    Case(IMAGES, "plan p.yaml", "not an image of a known format", spoiled(b"hello")),
    Case(IMAGES, "plan p.yaml", "not an image of a known format", spoiled(b"")),
    Case(IMAGES, "plan p.yaml", "0.png: ", spoiled(b"\x89PNG\r\n\x1a\n cut")),
    Case(IMAGES, "plan p.yaml", "more than 64 million", bomb),
    Case(IMAGES, "plan p.yaml", "9.png: no such file", dangling),
    Case(IMAGES, "check nowhere", "nowhere"),
    Case(
        SURROUNDINGS,
        "run s.yaml --workers 0",
        "MLFLOW_TRACKING_URI ftp://x",
        set={"MLFLOW_TRACKING_URI": "ftp://x"},
    ),
    Case(
        SURROUNDINGS,
        RUN,
        "name another one in G2G_ABLATE_REGISTRY",
        written("list", b""),
        {"G2G_ABLATE_REGISTRY": "list"},
    ),
    Case(
        SURROUNDINGS,
        f"{RUN} --gpus-per-trial 1",
        "this machine has no GPUs",
        set={"CUDA_VISIBLE_DEVICES": ""},
    ),
    Case(
        SURROUNDINGS,
        "plan s.yaml --pilot --gpus-per-trial 1",
        "this machine has no GPUs",
        set={"CUDA_VISIBLE_DEVICES": ""},
    ),
    Case(STORE, "run s.yaml --tracking-uri ftp://x", "must be http(s)://"),
    Case(STORE, "run s.yaml --tracking-uri words", "must be http(s)://"),
    Case(STORE, "run s.yaml --tracking-uri file:///tmp/x", "must be http(s)://"),
    Case(STORE, "run s.yaml --tracking-uri http://127.0.0.1:9", "nothing was started", code=3),
    Case(
        STORE,
        "run s.yaml --tracking-uri postgresql://u:s3cret@127.0.0.1:9/db",
        "postgresql://***@127.0.0.1:9/db",
    ),
    Case(STORE, "run s.yaml --address here", "must be host:port, ray://host:port, or auto"),
    Case(STORE, "run s.yaml --address 127.0.0.1:9", "no Ray cluster answers there", code=3),
)


class Said(NamedTuple):
    """What a command did: its exit code, its errors, and the files that it left."""

    code: object
    errors: str
    left: set[str]


def tried(case: Case, where: Path) -> Said:
    """Run the command of a case in an empty folder, in this process."""
    from ablate.cli import main

    with contextlib.chdir(where):
        Path("s.yaml").write_text(STUDY)
        Path("p.yaml").write_text(PICTURES)
        case.prepare()
        before = {str(path) for path in Path().rglob("*")}
        with (
            mock.patch.dict(os.environ, case.set),
            mock.patch("sys.argv", ["g2g-ablate", *shlex.split(case.words)]),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()) as errors,
        ):
            try:
                main()
                code: object = None
            except SystemExit as ended:
                code = ended.code
        return Said(code, errors.getvalue(), {str(path) for path in Path().rglob("*")} - before)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.words}")
def test_a_mistake_is_one_clear_line_and_starts_nothing(case: Case, tmp_path: Path) -> None:
    said = tried(case, tmp_path)
    assert said.code == case.code, said.errors
    (line,) = said.errors.splitlines()
    assert case.says in line
    assert "s3cret" not in line
    assert len(line) < 400
    assert not said.left


def table() -> str:
    """Return the page, with what the command says of each case."""
    lines = [
        "# Mistakes, and what is said about them",
        "",
        "Each of these commands ends with exit code 2, or 3 where a server fails, and starts",
        "nothing.",
        "`s.yaml` is a study of two arms on the embedded dataset, `p.yaml` one of a folder `pics`.",
        "`python -m tests.test_bad_inputs` makes this page by running them.",
    ]
    kind = ""
    for case in CASES:
        if case.kind != kind:
            kind = case.kind
            lines += ["", f"## {kind}", "", "| command | what is said |", "|---|---|"]
        with tempfile.TemporaryDirectory() as folder:
            said = tried(case, Path(folder)).errors.strip().removeprefix("g2g-ablate: ")
            said = said.replace(f"{Path(folder).resolve()}/", "").replace(folder, ".")
        root = f"{PAGE.parents[1]}/"
        words = " ".join([*(f"{name}={value}" for name, value in case.set.items()), case.words])
        cells = (f"`{words}`".replace(root, ""), said.replace(root, "").replace("|", "\\|"))
        lines.append(f"| {cells[0]} | {cells[1]} |")
    return "\n".join(lines) + "\n"


def test_the_page_lists_every_case() -> None:
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    assert len(rows) == len(CASES)
    assert all(case.says in row for case, row in zip(CASES, rows, strict=True))


if __name__ == "__main__":
    PAGE.write_text(table(), encoding="utf-8")
