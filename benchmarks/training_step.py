"""Measure the time of a training step, and of the same step in the authors' order of computation.

    python -m benchmarks.training_step [--repeats 5] [--sizes 16x32,16x64,64x128] [--json FILE]
    python -m benchmarks.training_step --device cuda

Both are measured in one process. The table shows the size, the losses, and the seconds of a step in
the authors' order and in this program's order (medians). It also shows their ratio with its target,
and the operations of both. The floor is the time of this program's step over that of its
convolutions and matrix products alone; it is measured on a CPU only. On a GPU, every clock waits
for the work that was enqueued.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from ablate.trial.environment import processor
from benchmarks.floor import seconds_alone
from benchmarks.operations import operations
from benchmarks.reference_order import Discriminator, Generator, ReferenceStep
from g2g_core.config import TrialConfig
from g2g_core.data.pairs import Batch
from g2g_core.models import MODELS
from g2g_core.models.options import FunitOptions
from g2g_core.training.computing import computing
from g2g_core.training.setup import DTYPES, ready
from g2g_core.training.step import TrainingStep

FUNIT = {
    "adversarial": 1.0,
    "short_recon": 0.1,
    "self_fm": 1.0,
    "short_fm": 1.0,
    "d_hinge": 1.0,
    "d_r1": 10.0,
}
NEW = {"long_recon": 0.1, "long_fm": 0.1, "reassembly_fm": 0.1}
TARGETS = {
    ("all", "16x32"): 2.0,
    ("all", "16x64"): 1.7,
    ("all", "64x128"): 1.4,
    ("off", "16x32"): 2.5,
    ("off", "16x64"): 2.1,
    ("off", "64x128"): 1.8,
    ("funit", "16x32"): 1.5,
    ("funit", "16x64"): 1.5,
    ("funit", "64x128"): 1.5,
}
CLASSES = 20


@dataclass
class Measured:
    """Both orders of computation, measured on one size.

    Attributes:
        size: `<filters>x<pixels>`.
        losses: the losses that are on: `all`, `off` (without the new ones), or `funit`.
        reference_s: median seconds of a step in the authors' order.
        ours_s: median seconds of a step in this program's order.
        alone_s: seconds of this program's convolutions and products alone; nan if not measured.
        reference_gflop: operations of a step in the authors' order, in billions.
        ours_gflop: operations of a step in this program's order, in billions.
    """

    size: str
    losses: str
    reference_s: float
    ours_s: float
    alone_s: float
    reference_gflop: float
    ours_gflop: float

    @property
    def ratio(self) -> float:
        """How many times as fast this program's order is as the authors' order."""
        return self.reference_s / self.ours_s


def settings(size: str, losses: str, **changes: object) -> TrialConfig:
    """Return a config with FUNIT's depth and a batch of 4.

    Args:
        size: `<filters>x<pixels>`.
        losses: `all`, `off`, or `funit`.
        **changes: further fields of the config.
    """
    filters, pixels = (int(part) for part in size.split("x"))
    config = TrialConfig(
        model="funit" if losses == "funit" else "funit2funit",
        network={"filters": filters, "d_filters": filters},
        image_size=pixels,
        batch_size=4,
        losses=FUNIT | (NEW if losses == "all" else {}),
    )
    return replace(config, **changes)  # type: ignore[arg-type]


def random_batch(config: TrialConfig, seed: int = 0) -> Batch:
    """Return a batch of random images in [-1, 1] with random labels."""
    random = torch.Generator().manual_seed(seed)
    shape = (2, config.batch_size, 3, config.image_size, config.image_size)
    images = torch.rand(shape, generator=random) * 2 - 1
    labels = torch.randint(CLASSES, (2, config.batch_size), generator=random)
    return Batch(images[0], labels[0], images[1], labels[1])


def reference_networks(
    options: FunitOptions, classes: int
) -> tuple[Generator, Discriminator, Generator]:
    """Return the generator, the discriminator, and the average in the authors' order."""
    o = options
    sizes = (
        o.filters,
        o.residual_blocks,
        o.mlp_filters,
        o.class_dim,
        o.mlp_blocks,
        o.content_downs,
        o.class_downs,
    )
    return Generator(*sizes), Discriminator(o.d_filters, o.d_blocks, classes), Generator(*sizes)


def reference_step(
    config: TrialConfig, classes: int = CLASSES, swapped: bool = False, device: str = "cpu"
) -> ReferenceStep:
    """Return a step in the authors' order, with the initial weights of this program's step."""
    ours = MODELS[config.model](config, classes)
    networks = reference_networks(FunitOptions(**config.network), classes)  # type: ignore[arg-type]
    for theirs, network in zip(
        networks, (ours.generator, ours.discriminator, ours.average), strict=True
    ):
        assert network is not None
        theirs.load_state_dict(network.state_dict())
        theirs.to(device, DTYPES[config.precision])
    return ReferenceStep(*networks, config.losses, swapped, config.model == "funit2funit")


def our_step(
    config: TrialConfig, classes: int = CLASSES, device: str = "cpu"
) -> Callable[[Batch, int], object]:
    """Return this program's step with its initial weights."""
    networks = MODELS[config.model](config, classes)
    for network in (networks.generator, networks.discriminator, networks.average):
        if isinstance(network, nn.Module):
            network.to(device, DTYPES[config.precision])
            if config.channels_last:
                network.to(memory_format=torch.channels_last)
    return TrainingStep(config, networks)


def wait(device: str) -> None:
    """Wait until a GPU has done all that was enqueued; a CPU always has."""
    if device != "cpu":
        torch.cuda.synchronize(device)


def timed(step: Callable[[], object], repeats: int, device: str = "cpu") -> list[float]:
    """Return the seconds of each call.

    With one thread, these are the seconds of the processor, which the load of other programs
    disturbs less. On a GPU, they are those of the wall, until it has done the work.
    """
    own = device == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if own else time.perf_counter
    times = []
    for _ in range(repeats):
        wait(device)
        started = clock()
        step()
        wait(device)
        times.append(clock() - started)
    return times


def measure(
    size: str, losses: str, repeats: int, device: str = "cpu", **changes: object
) -> Measured:
    """Measure both orders in turns, and return their medians.

    The turns are authors', this program's, then the reverse, so that a slow moment of the machine
    affects both. The floor is measured only on a CPU, in torch's own memory layout.

    Args:
        size: `<filters>x<pixels>`.
        losses: `all`, `off`, or `funit`.
        repeats: number of turns.
        device: `cpu`, `cuda`, or `cuda:<n>`.
        **changes: changes to the config of this program's step alone.
    """
    plain = settings(size, losses, threads=torch.get_num_threads())
    config = replace(plain, **changes)  # type: ignore[arg-type]
    with computing(config, device):
        return _measured(size, losses, repeats, device, plain, config)


def _measured(
    size: str, losses: str, repeats: int, device: str, plain: TrialConfig, config: TrialConfig
) -> Measured:
    """Return what `measure` does, under torch's settings of the config."""
    batch = ready(random_batch(config), config, device)
    theirs = ready(random_batch(plain), plain, device)
    reference, ours = reference_step(plain, device=device), our_step(config, device=device)
    counts = operations(lambda: reference(theirs)), operations(lambda: ours(batch, 0))
    timed(lambda: (reference(theirs), ours(batch, 0)), 1)

    theirs_s: list[float] = []
    ours_s: list[float] = []
    for turn in range(repeats):
        jobs = [(theirs_s, lambda: reference(theirs)), (ours_s, lambda: ours(batch, 0))]
        for times, job in jobs if turn % 2 == 0 else reversed(jobs):
            times += timed(job, 1, device)

    medians = statistics.median(theirs_s), statistics.median(ours_s)
    alone = float("nan")
    if device == "cpu" and not config.channels_last:
        alone = seconds_alone(lambda: ours(batch, 0), repeats)
    return Measured(size, losses, *medians, alone, counts[0] / 1e9, counts[1] / 1e9)


def machine(device: str = "cpu") -> str:
    """Return the processor or GPU, torch's version, the number of threads, and the date."""
    name = processor() if device == "cpu" else torch.cuda.get_device_name(device)
    return (
        f"{name}, torch {torch.__version__}, {torch.get_num_threads()} thread(s), "
        f"{time.strftime('%Y-%m-%d')}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sizes", default="16x32,16x64,64x128")
    parser.add_argument("--losses", default="all,off,funit")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tf32", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--deterministic", action="store_true")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()

    torch.set_num_threads(chosen.threads)
    print(machine(chosen.device))
    heads = (
        ("reference s", 11),
        ("ours s", 8),
        ("ratio", 6),
        ("target", 6),
        ("floor", 6),
        ("GFLOP", 15),
    )
    print(f"{'size':>8} {'losses':>6}", *(f"{head:>{width}}" for head, width in heads))

    rows = []
    for size in chosen.sizes.split(","):
        for losses in chosen.losses.split(","):
            repeats = chosen.repeats
            m = measure(
                size,
                losses,
                repeats,
                chosen.device,
                tf32=chosen.tf32,
                deterministic=chosen.deterministic,
                channels_last=chosen.channels_last,
                precision=chosen.precision,
            )
            target = TARGETS.get((losses, size), float("nan"))
            gflop = f"{m.reference_gflop:.1f} > {m.ours_gflop:.1f}"
            print(
                f"{size:>8} {losses:>6} {m.reference_s:11.3f} {m.ours_s:8.3f} "
                f"{m.ratio:6.2f} {target:6.1f} "
                f"{m.ours_s / m.alone_s:6.2f} {gflop:>15}",
                flush=True,
            )
            rows.append({**m.__dict__, "ratio": m.ratio, "target": target})

    if chosen.json:
        chosen.json.write_text(
            json.dumps({"machine": machine(chosen.device), "rows": rows}, indent=1)
        )


if __name__ == "__main__":
    main()
