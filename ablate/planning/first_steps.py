"""First steps of arms in a process of their own.

A process that has used a GPU keeps hundreds of MB of it until it ends. The command itself lives as
long as its study, so it must leave the GPU to the trials.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ablate.processes import children, signals
from ablate.processes.watchdog import Watchdog
from ablate.trainers.core.trainer import CoreTrainer
from ablate.trainers.objects.config import ObjectConfig
from ablate.trainers.objects.trainer import ObjectTrainer
from ablate.trainers.resolve import config_of
from ablate.trainers.trainer import FirstStep, StudyTrainer
from ablate.trial.environment import free_memory
from ablate.trial.faults import MEMORY, classify

Probe = Callable[..., FirstStep]
"""A function that takes the first step of a config on a device, `cpu` or `cuda`.

If it gets a path too, it writes a checkpoint of the step to it.
"""


def why(error: Exception) -> str:
    """Return an error of a first step as a single line, cut if it is torch's own."""
    if classify(error, Path()) in MEMORY:
        return "one step needs more memory than there is; smaller networks, images or batches fit"
    if isinstance(error, ValueError):
        return " ".join(str(error).split())
    summary = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return f"the first step fails: {summary}; with --no-check the trial keeps its traceback"


@contextmanager
def elsewhere(trainer: StudyTrainer) -> Iterator[Probe]:
    """Return a function that takes first steps in a process that ends with the block.

    The function raises ValueError with `why` of an error of the step, or if the process died.

    Args:
        trainer: one that has a first step.
    """
    with signals.blocked():
        process = subprocess.Popen(
            (sys.executable, "-c", "from ablate.planning.first_steps import main; main()"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=children.environment({}),
            # Ctrl-C reaches only the command, which then ends this process
            start_new_session=True,
            text=True,
        )
    assert process.stdin is not None
    orders = process.stdin
    answers: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, answers), daemon=True)
    reader.start()
    watchdog = Watchdog(process.pid, "the check of the arms", lambda _: None)

    def ask(order: dict[str, Any]) -> str:
        """Return the answer to an order, or an empty string if the process has died."""
        with suppress(BrokenPipeError):
            orders.write(json.dumps(order) + "\n")
            orders.flush()
        while True:
            with suppress(queue.Empty):
                return answers.get(timeout=0.5)
            if watchdog.look():
                process.kill()

    def probe(config: Any, device: str, checkpoint: Path | None = None) -> FirstStep:
        """Take the first step of a config."""
        record = config.trainer_record() if isinstance(config, ObjectConfig) else None
        order = {"config": config.to_dict(), "trainer": record, "device": device}
        answer = ask(order | ({} if checkpoint is None else {"checkpoint": str(checkpoint)}))
        if not answer:
            raise ValueError(
                "the first step ends its process; with --no-check the trial keeps its traceback"
            )
        result = json.loads(answer)
        if "problem" in result:
            raise ValueError(result["problem"])
        return FirstStep(**result | {"recorded": tuple(result["recorded"])})

    try:
        with suppress(BrokenPipeError):
            order = {"code": children.code_folders(), "trainer": trainer.record()}
            orders.write(json.dumps(order) + "\n")
        yield probe
    finally:
        process.kill()
        process.wait()
        reader.join()
        with suppress(BrokenPipeError):
            orders.close()


def _read(process: "subprocess.Popen[str]", answers: "queue.Queue[str]") -> None:
    """Pass on the answers of the process, and an empty one at its end; the body of a thread."""
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            answers.put(line)
    answers.put("")


def main() -> None:
    """Take the first step of each config on stdin, and answer with a JSON object per line."""
    # Only answers may reach stdout: whatever else prints goes to stderr.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    start = json.loads(sys.stdin.readline())
    children.search_last(start["code"])
    record = start["trainer"]
    trainer: StudyTrainer = ObjectTrainer(record["object"]) if record else CoreTrainer()
    first_step = trainer.first_step
    assert first_step is not None

    for line in sys.stdin:
        order = json.loads(line)
        try:
            further = [Path(order["checkpoint"])] if "checkpoint" in order else []
            answer = asdict(first_step(config_of(order), order["device"], *further))
            free_memory()
        except Exception as error:
            answer = {"problem": why(error)}
        answers.write(json.dumps(answer) + "\n")
