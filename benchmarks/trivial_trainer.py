"""A training run without networks, for benchmarks and tests of everything around training.

It makes the same kinds of records and checkpoints as the real one. Its numbers are a pure function
of config and step, so an interrupted trial ends with the numbers of an undisturbed one.
"""

import fcntl
import json
import math
import os
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from g2g_core.config import TrialConfig
from g2g_core.record import Diverged, Record, Stopped


def train(
    config: TrialConfig,
    *,
    device: str = "cpu",
    checkpoints: Path | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Record]:
    """Yield the records of a trial, like `g2g_core.training.loop.train`.

    Args:
        config: the trial. `data.sleep_s` is the seconds per step, and `data.fault` names what goes
            wrong at step `data.at`.
        device: named in the facts, otherwise unused.
        checkpoints: folder of the checkpoints; None writes none.
        stop: asked after every step whether to write a checkpoint and end.

    Raises:
        Stopped: `stop` said so.
    """
    sleep_s = float(config.data.get("sleep_s", 0.0))  # type: ignore[arg-type]
    done = _restored(checkpoints)

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    facts = {"device": device, "visible": visible, "digests": {"data": "trivial"}}
    yield Record(done or 0, "note", facts=facts | {"resumed_at": done})
    if done is None:
        done = 0
        yield _evaluated(config, 0)

    for step in range(done + 1, config.steps + 1):
        time.sleep(sleep_s)
        _fault(config, step)
        yield Record(step, "train", {name: _value(config, name, step) for name in _names(config)})
        if step % config.eval_every == 0 or step == config.steps:
            yield _evaluated(config, step)
        stopping = step < config.steps and stop()
        due = config.checkpoint_every and step % config.checkpoint_every == 0
        if checkpoints is not None and (due or stopping):
            checkpoints.mkdir(parents=True, exist_ok=True)
            # Renaming is atomic: a kill at any moment leaves a whole checkpoint.
            part = checkpoints / "part"
            part.write_text(json.dumps({"step": step}))
            part.replace(checkpoints / "newest.json")
        if stopping:
            raise Stopped


def _restored(checkpoints: Path | None) -> int | None:
    """Return the step of the newest checkpoint; None if there isn't one."""
    path = None if checkpoints is None else checkpoints / "newest.json"
    return json.loads(path.read_text())["step"] if path is not None and path.exists() else None


def _names(config: TrialConfig) -> list[str]:
    """Return the names of the numbers in a training record."""
    extra = int(config.data.get("values", 3))  # type: ignore[arg-type]
    return ["loss/total_generator", *(f"loss/term_{number}" for number in range(extra - 1))]


def _value(config: TrialConfig, name: str, step: int) -> float:
    """Return a number that depends on config, name, and step alone."""
    weight = sum(config.losses.values())
    return math.exp(-step / 50) * (1 + 0.1 * weight) + 0.01 * math.sin(
        step + config.seed + len(name)
    )


def _evaluated(config: TrialConfig, step: int) -> Record:
    """Return the record of an evaluation, with images unless the config switches them off."""
    noise = float(config.data.get("noise", 0.0))  # type: ignore[arg-type]
    value = _value(config, "metric", step) + noise * math.sin(
        997 * (config.seed + 1) * (1 + sum(config.losses.values()))
    )
    images = {}
    if config.data.get("images", True):
        grid = torch.linspace(-1, 1, 8).expand(4, 3, 8, 8) * min(1.0, value)
        images = {"real": grid, "mixed": -grid, "full_recon": grid * 0.5}
    return Record(step, "eval", {"metric/mixed_l1": value, "time/eval_s": 0.001}, images)


SICK: list[bool] = []
"""What stands for a lost CUDA context: every later trial of this process fails."""


def _fault(config: TrialConfig, step: int) -> None:
    """Do what the config plans to go wrong at this step."""
    if SICK:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
    if step != config.data.get("at"):
        return
    match config.data.get("fault"):
        case "bug":
            raise ValueError("planted bug")
        case "infinity":
            raise Diverged(step, "loss/adversarial")
        case "missing":
            Path("/no/such/image.png").read_bytes()
        case "kill_once":
            flag = Path(str(config.data["flag"])) / f"killed-{config.seed}"
            if not flag.exists():
                flag.write_text("")
                os.kill(os.getpid(), 9)
        case "kill":
            os.kill(os.getpid(), 9)
        case "memory":
            torch.empty(2**48, dtype=torch.uint8)
        case "limited_memory":
            _fill_memory(room_bytes=300 * 2**20)
        case "sick_gpu":
            _use_sick_card(config.data.get("flag"))
        case "crowded_gpu":
            _use_card(Path(str(config.data["card"])))


def _fill_memory(room_bytes: int) -> None:
    """Allocate memory until a limit of the operating system on this process is reached."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + room_bytes, before[1]))
    try:
        taken = []
        while True:
            taken.append(torch.zeros(2**24, dtype=torch.float32))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _use_sick_card(flag: object) -> None:
    """Fail as torch does on a GPU with an uncorrectable error, and never recover.

    Args:
        flag: file that the first failure makes, and after which there is no other; None: a file
            that is never there.

    Raises:
        torch.AcceleratorError: always, except in a new process if the flag is there.
    """
    if flag is None or not Path(str(flag)).exists():
        SICK.append(True)
        if flag is not None:
            Path(str(flag)).touch()
        raise torch.AcceleratorError("CUDA error: uncorrectable ECC error encountered")


def _use_card(card: Path) -> None:
    """Use a pretended GPU that has room for a single trial.

    Raises:
        torch.OutOfMemoryError: another process uses it; torch raises this error for a full GPU.
    """
    with card.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise torch.OutOfMemoryError(
                "CUDA out of memory. Tried to allocate 2.00 GiB."
            ) from None
        time.sleep(3)
