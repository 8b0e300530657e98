"""A loop that appends a row per run to a CSV file, without any library."""

import sys
from pathlib import Path

from truth import runs, val_error

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
with (out / "results.csv").open("w") as file:
    file.write("lr,aug,seed,val_error\n")
    for lr, aug, seed in runs():
        file.write(f"{lr},{aug},{seed},{val_error(lr, aug, seed)}\n")
