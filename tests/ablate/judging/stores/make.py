"""Make the stores that other programs write, each by its script, and pack them next to this file.

`python make.py tensorboard lightning` makes two of them. The archives are small, and hold the
versions of the programs that made them in `versions.txt`.
"""

import gzip
import io
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = {
    "plain_csv": (),
    "notebook": (),
    "mlflow_autolog": ("mlflow", "scikit-learn"),
    "lightning": ("lightning", "torch"),
    "tensorboard": ("tensorboardX",),
    "ray_tune": ("ray",),
    "hydra": ("hydra-core",),
    "optuna": ("optuna",),
    "wandb": ("wandb",),
    "hugging_face": ("transformers", "torch"),
}
"""Store -> packages of the programs that make it."""
LEFT_OUT = (
    "*.pkl",
    "hydra.yaml",
    "multirun.yaml",
    "*.log",
    "training_args.bin",
    "requirements.txt",
    "*.pt",
    "*.sh",
)
"""Files that judging does not read; some name the machine."""


def installed(name: str) -> bool:
    """Whether the programs of a store are installed."""
    try:
        return all(version(package) for package in PROGRAMS[name])
    except PackageNotFoundError:
        return False


def make(name: str, folder: Path) -> None:
    """Make a store in a folder, by its script."""
    subprocess.run(
        [sys.executable, str(HERE / f"make_{name}.py"), str(folder)],
        check=True,
        capture_output=True,
        cwd=folder.parent,
    )


def pack(name: str, folder: Path) -> Path:
    """Pack a store's folder into an archive that depends on its content alone."""
    path = HERE / f"{name}.tar.gz"
    versions = "".join(f"{package} {version(package)}\n" for package in PROGRAMS[name])
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        files = {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.is_file()
            and not file.is_symlink()
            and not any(file.match(pattern) for pattern in LEFT_OUT)
        }
        for place, data in {**files, "versions.txt": versions.encode()}.items():
            entry = tarfile.TarInfo(place)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    path.write_bytes(gzip.compress(content.getvalue(), mtime=0))
    return path


def main() -> None:
    """Make and pack the stores that are named, or all whose programs are installed."""
    for name in sys.argv[1:] or [name for name in PROGRAMS if installed(name)]:
        with tempfile.TemporaryDirectory() as parent:
            folder = Path(parent) / name
            make(name, folder)
            path = pack(name, folder)
            print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
