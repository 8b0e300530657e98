"""Measure everything that one GPU can show in eight minutes, the most valuable facts first.

    python -m benchmarks.gpu [--out gpu] [--budget 300] [--no-study]
    python -m benchmarks.gpu --device cpu --tiny      # rehearses all parts without a GPU

Each fact is a line of JSON, on the screen and in `OUT/gpu.jsonl`. The parts run in order until
the budget in seconds is spent. A part that fails is a fact, too, and stops nothing. At the end, a
study runs with four trials per card, and one of its trials is verified.
"""

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ablate.study.nouns import Trial
from ablate.trial import journal, trial_file
from ablate.trial.environment import determinism
from ablate.trial.faults import classify
from ablate.trial.run import run_trial
from benchmarks.training_step import our_step, random_batch, reference_step, settings, wait
from g2g_core.checkpoints.checkpoint import weights_digest
from g2g_core.config import TrialConfig
from g2g_core.training.computing import computing
from g2g_core.training.setup import ready
from g2g_core.training.step import TrainingStep

STEP = Callable[[int], dict[str, torch.Tensor]]
SMALL = {"filters": 8, "content_downs": 2, "class_downs": 3, "d_filters": 8}
WGAN = {"adversarial_wgan": 1.0, "d_wgan": 1.0, "d_wgan_penalty": 5.0}
CYCLE = {"long_recon": 1.0, "content_cycle": 1.0}
SPEEDS: dict[str, dict[str, Any]] = {
    "as it is set by default": {},
    "authors' order": {},
    "strict float32": {"tf32": False},
    "deterministic": {"deterministic": True},
    "channels last": {"channels_last": True},
    "bfloat16": {"precision": "bfloat16"},
    "bfloat16, channels last": {"precision": "bfloat16", "channels_last": True},
}
"""What is timed -> changes of the config; the authors' order is another step."""


@dataclass(frozen=True)
class Bench:
    """What to measure, and where to write it.

    Attributes:
        device: `cuda`, `cuda:<n>`, or `cpu`.
        tiny: whether sizes and repetitions are those of a rehearsal.
        out: folder of the results.
        budget_s: seconds after which no further part begins.
        began: when the measurement began, in seconds of `time.perf_counter`.
    """

    device: str
    tiny: bool
    out: Path
    budget_s: float
    began: float

    @property
    def gpu(self) -> bool:
        """Whether the device is a GPU."""
        return self.device != "cpu"

    @property
    def sizes(self) -> list[str]:
        """The sizes to measure, `<filters>x<pixels>`."""
        return ["4x32"] if self.tiny else ["64x128", "16x32", "16x64"]

    def say(self, part: str, **facts: Any) -> None:
        """Print a fact and add it to the file of results."""
        seconds = round(time.perf_counter() - self.began, 1)
        line = json.dumps({"part": part, "s": seconds, **facts}, default=str)
        print(line, flush=True)
        with (self.out / "gpu.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    @contextlib.contextmanager
    def fact(self, part: str, **which: Any) -> Iterator[dict[str, Any]]:
        """Collect the facts of the block and say them; an error is a fact."""
        facts: dict[str, Any] = {}
        try:
            yield facts
        except Exception as error:
            facts["error"] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            facts["fault"] = classify(error, self.out)
        finally:
            if self.gpu and torch.cuda.is_initialized():
                with contextlib.suppress(RuntimeError):
                    torch.cuda.empty_cache()
        self.say(part, **which, **facts)

    def step(self, config: TrialConfig, authors: bool = False) -> STEP:
        """Return the step of a config, or the authors' one, on one random batch."""
        batch = ready(random_batch(config), config, self.device)
        if authors:
            reference = reference_step(config, device=self.device)
            return lambda _: reference(batch)
        ours = our_step(config, device=self.device)
        return lambda number: ours(batch, number)  # type: ignore[return-value]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--budget", type=float, default=300.0, help="seconds")
    parser.add_argument("--out", type=Path, default=Path("gpu"))
    parser.add_argument("--tiny", action="store_true", help="a rehearsal")
    parser.add_argument("--no-study", dest="study", action="store_false")
    chosen = parser.parse_args()
    if chosen.device != "cpu" and not torch.cuda.is_available():
        sys.exit("benchmarks.gpu: torch sees no GPU; to rehearse: --device cpu --tiny")

    chosen.out.mkdir(parents=True, exist_ok=True)
    bench = Bench(chosen.device, chosen.tiny, chosen.out, chosen.budget, time.perf_counter())
    for part in (facts, equality, speed, profile, repeats, graph, trial, memory):
        if time.perf_counter() - bench.began > bench.budget_s:
            bench.say(part.__name__, skipped="the budget is spent")
        elif part in (graph, memory) and not bench.gpu:
            bench.say(part.__name__, skipped="no GPU")
        else:
            part(bench)
    if chosen.study:
        study(bench)


def facts(bench: Bench) -> None:
    """Say what the device is, and what the program says of it."""
    with bench.fact("facts") as told:
        with computing(TrialConfig(), bench.device):
            told |= {"torch": torch.__version__, "recorded": determinism(bench.device)}
        if bench.gpu:
            card = torch.cuda.get_device_properties(bench.device)
            told["memory_gb"] = round(card.total_memory / 2**30, 1)
            listed = subprocess.run(
                ["nvidia-smi", "-L"], capture_output=True, text=True, check=False
            )
            told["nvidia_smi"] = listed.stdout


def equality(bench: Bench) -> None:
    """Compare the first step with that of the CPU, from the same weights.

    In float64, all losses and gradient norms should agree to 1e-9.
    """
    size = "4x32" if bench.tiny else "16x32"
    off = settings(size, "off")
    models = {
        "funit2funit": settings(size, "all"),
        "funit": settings(size, "funit"),
        "cyclefunit": replace(off, model="cyclefunit", network=SMALL, losses=CYCLE | WGAN),
        "naive": replace(
            off,
            model="naive",
            network={"encoder_filters": 8, "adain_dim": 32, "adain_layers": 3},
            losses=CYCLE | {"class_cycle": 1.0},
        ),
    }
    kinds = (("float64", False), ("float32", False), ("float32", True), ("bfloat16", True))
    for model, config in models.items():
        for precision, tf32 in kinds:
            with bench.fact("equality", model=model, precision=precision, tf32=tf32) as told:
                here = _first(replace(config, precision=precision, tf32=tf32), bench.device)
                exact = "float64" if precision == "float64" else "float32"
                there = _first(replace(config, precision=exact), "cpu")
                gaps = {n: abs(here[n] - v) / max(abs(v), 1e-12) for n, v in there.items()}
                told["worst"] = max(gaps, key=gaps.__getitem__)
                told["relative"] = gaps[told["worst"]]


def _first(config: TrialConfig, device: str) -> dict[str, float]:
    """Return the losses and gradient norms of the first step."""
    with computing(config, device):
        ours = our_step(config, device=device)
        values = ours(ready(random_batch(config), config, device), 0)
    return {name: float(value) for name, value in values.items()}  # type: ignore[attr-defined]


def speed(bench: Bench) -> None:
    """Time a step as it is set by default, then one change at a time, and the authors' order."""
    for size in bench.sizes:
        for what, changes in SPEEDS.items():
            config = replace(settings(size, "all"), **changes)
            with bench.fact("speed", size=size, what=what) as told, computing(config, bench.device):
                if bench.gpu:
                    torch.cuda.reset_peak_memory_stats(bench.device)
                told |= _seconds(bench, bench.step(config, authors=what == "authors' order"))
                if bench.gpu:
                    told["allocated_mb"] = torch.cuda.max_memory_allocated(bench.device) >> 20
                    told["reserved_mb"] = torch.cuda.max_memory_reserved(bench.device) >> 20


def _seconds(bench: Bench, step: STEP) -> dict[str, float]:
    """Return the seconds of a step.

    `free_s` is without a wait between steps, `waited_s` with one, and `host_s` is the time that the
    CPU needs to enqueue the step.
    """
    repeats = 2 if bench.tiny else 10
    for number in range(1 if bench.tiny else 3):
        step(number)
    wait(bench.device)

    began, enqueued = time.perf_counter(), []
    for number in range(repeats):
        before = time.perf_counter()
        step(number)
        enqueued.append(time.perf_counter() - before)
    wait(bench.device)
    free = (time.perf_counter() - began) / repeats

    waited = []
    for number in range(repeats):
        before = time.perf_counter()
        step(number)
        wait(bench.device)
        waited.append(time.perf_counter() - before)
    seconds = {"free_s": free, "waited_s": statistics.median(waited), "host_s": min(enqueued)}
    return {name: round(value, 5) for name, value in seconds.items()}


def profile(bench: Bench) -> None:
    """Say which kernels take the time of a step, and how many are launched."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiler

    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if bench.gpu else [])]
    key = "self_device_time_total" if bench.gpu else "self_cpu_time_total"
    for size in bench.sizes[:2]:
        config = settings(size, "all")
        with bench.fact("profile", size=size) as told, computing(config, bench.device):
            step = bench.step(config)
            for number in range(1 if bench.tiny else 3):
                step(number)
            wait(bench.device)
            with profiler(activities=kinds) as measured:
                began = time.perf_counter()
                step(4)
                wait(bench.device)
                told["wall_ms"] = round((time.perf_counter() - began) * 1e3, 1)
            events = measured.key_averages()
            top = sorted(events, key=lambda event: -getattr(event, key))[:25]
            told["busy_ms"] = round(sum(getattr(event, key) for event in events) / 1e3, 1)
            told["launches"] = sum(e.count for e in events if "LaunchKernel" in e.key)
            told["waits"] = sum(e.count for e in events if "Synchronize" in e.key)
            told["top"] = [(e.key[:70], e.count, round(getattr(e, key) / 1e3, 2)) for e in top]


def repeats(bench: Bench) -> None:
    """Say whether some steps end with the same weights when they are repeated."""
    for changes in ({}, {"deterministic": True}, {"deterministic": True, "precision": "bfloat16"}):
        with bench.fact("repeats", **changes) as told:
            config = replace(settings(bench.sizes[-1], "all"), **changes)
            told["bit_identical"] = _weights(bench, config) == _weights(bench, config)


def _weights(bench: Bench, config: TrialConfig) -> str:
    """Return the digest of all weights after some steps."""
    with computing(config, bench.device):
        step = our_step(config, device=bench.device)
        assert isinstance(step, TrainingStep)
        batch = ready(random_batch(config), config, bench.device)
        for number in range(2 if bench.tiny else 20):
            step(batch, number)
        return weights_digest(step.networks)


def graph(bench: Bench) -> None:
    """Time a whole step as one CUDA graph, which shows what launching costs."""
    for size in bench.sizes:
        for precision in ("float32", "bfloat16"):
            config = settings(size, "all", precision=precision)
            with (
                bench.fact("graph", size=size, precision=precision) as told,
                computing(config, bench.device),
            ):
                step = our_step(config, device=bench.device)
                assert isinstance(step, TrainingStep)
                batch = ready(random_batch(config), config, bench.device)
                for optimizer in (step.generator_optimizer, step.discriminator_optimizer):
                    for group in optimizer.param_groups if optimizer else ():
                        group["capturable"] = True
                side = torch.cuda.Stream()
                side.wait_stream(torch.cuda.current_stream())
                with torch.cuda.stream(side):
                    for number in range(4):
                        step(batch, number)
                torch.cuda.current_stream().wait_stream(side)
                torch.cuda.synchronize()
                whole = torch.cuda.CUDAGraph()
                with torch.cuda.graph(whole):
                    values = step(batch, 5)

                def replayed(_: int, whole: Any = whole, values: Any = values) -> Any:
                    whole.replay()
                    return values

                told |= _seconds(bench, replayed)
                told["finite"] = all(bool(torch.isfinite(value)) for value in values.values())


def trial(bench: Bench) -> None:
    """Run a whole trial as users do, and say how much of the wall time is training."""
    steps = 4 if bench.tiny else 60
    for every in (1, steps // 3):
        with bench.fact("trial", log_every=every) as told, tempfile.TemporaryDirectory() as scratch:
            config = settings(
                bench.sizes[0],
                "all",
                steps=steps,
                log_every=every,
                eval_every=steps // 2,
                eval_pairs=8 if bench.tiny else 64,
                checkpoint_every=steps // 2,
            )
            folder = Path(scratch) / "trials" / "t"
            began = time.perf_counter()
            ended = run_trial(Trial("t", "t", {}, 0, config), folder, device=bench.device)
            told["wall_s"] = round(time.perf_counter() - began, 2)
            told |= {"status": ended.status, "error": ended.error}
            values = [line.values for line in journal.read(folder)]
            step_s = statistics.median(v["time/step_s"] for v in values if "time/step_s" in v)
            told["step_s"] = step_s
            told["training_share"] = round(steps * step_s / told["wall_s"], 2)
            told["eval_s"] = [round(v["time/eval_s"], 2) for v in values if "time/eval_s" in v]
            told["peak_memory_mb"] = trial_file.read(folder).get("peak_memory_mb")


def memory(bench: Bench) -> None:
    """Say what torch raises on a full card, and whether the process can be used afterwards."""
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info(bench.device)
    ballast = torch.empty(max(0, free - (700 << 20)), dtype=torch.uint8, device=bench.device)
    with bench.fact("memory", what="a step on a full card"):
        bench.step(settings("64x128", "all"))(0)

    code = "import torch\ntry: torch.zeros(1 << 28, device='cuda')\nexcept Exception as e: print(e)"
    with bench.fact("memory", what="a second process on a full card") as told:
        other = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        told["message"] = other.stdout[:300]
        told["fault"] = classify(RuntimeError(other.stdout), bench.out)

    del ballast
    torch.cuda.empty_cache()
    with bench.fact("memory", what="a step after it") as told:
        bench.step(settings("16x32", "all"))(0)
        told["works"] = True


def study(bench: Bench) -> None:
    """Run a study with four trials per card as a user does, and verify one of its trials."""
    if bench.gpu:
        torch.cuda.empty_cache()
    share = ["--gpus-per-trial", "0.25", "--workers", "4"] if bench.gpu else ["--workers", "0"]
    seeds, steps = ("0", "2") if bench.tiny else ("0,1", "20")
    with tempfile.TemporaryDirectory() as scratch:
        run = ["run", "quickstart", "--no-report", "--tracking-uri", "none", "--out", scratch]
        limits = ["--seeds", seeds, "--set", f"base.steps={steps}"]
        with bench.fact("study", what="run") as told:
            began = time.perf_counter()
            told["exit_code"], told["last"] = _command(*run, *share, *limits)
            told["wall_s"] = round(time.perf_counter() - began, 1)

        folder = Path(scratch) / "quickstart"
        for path in sorted(folder.glob("trials/*")):
            document = trial_file.read(path)
            names = ("status", "fault", "error", "seconds", "determinism", "peak_memory_mb")
            bench.say("study", trial=path.name, **{name: document.get(name) for name in names})

        with bench.fact("study", what="verify") as told:
            first = next(iter(sorted(path.name for path in folder.glob("trials/*"))))
            told["exit_code"], told["last"] = _command("verify", str(folder), first)
        log = folder / "driver.log"
        if log.is_file():
            shutil.copy(log, bench.out)


def _command(*words: str) -> tuple[int, str]:
    """Run a command of the program, and return its exit code and the end of what it printed."""
    code = "from ablate.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    return done.returncode, (done.stdout + done.stderr).strip()[-500:]


if __name__ == "__main__":
    main()
