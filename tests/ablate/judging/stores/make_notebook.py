"""A table as people make it by hand in a notebook: a row per arm, a column per seed, rounded, with
decimal commas, a note, and a cell that was left empty."""

import sys
from pathlib import Path

from truth import AUGS, LRS, SEEDS, val_error

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
lines = ["lr;aug;" + ";".join(f"val_error seed {seed}" for seed in SEEDS) + ";comment"]
for lr in LRS:
    for aug in AUGS:
        cells = [f"{val_error(lr, aug, seed):.3f}".replace(".", ",") for seed in SEEDS]
        if (lr, aug) == ("0.1", "on"):
            cells[2] = ""
        lines.append(";".join([lr.replace(".", ","), aug, *cells, "rerun?" if aug == "on" else ""]))
(out / "table.csv").write_text("\n".join(lines) + "\n")
