"""A program that knows nothing of g2g-ablate: noisy gradient descent on a parabola, its loss on
every tenth step."""

import argparse
import json
import pathlib
import random

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--noise", type=float)
parser.add_argument("--seed", type=int)
parser.add_argument("--out", type=pathlib.Path)
options = parser.parse_args()

rng = random.Random(options.seed)
x = rng.uniform(1.5, 2)
with (options.out / "metrics.jsonl").open("w") as file:
    for step in range(101):
        if step % 10 == 0:
            print(
                json.dumps({"step": step, "loss": x * x, "distance": abs(x)}), file=file, flush=True
            )
        x -= options.lr * (2 * x + rng.gauss(0, options.noise))
