"""A multirun of Hydra whose jobs write metrics.json into their own folders.

Call it as `python make_hydra.py OUT`, which starts itself with Hydra's options.
"""

import json
import subprocess
import sys
from pathlib import Path

from truth import AUGS, LRS, SEEDS, val_error

CONFIG = "optimizer: {lr: 0.01, momentum: 0.9}\naug: off\nseed: 0\n"


def main() -> None:
    """Run one job of the multirun."""
    import hydra
    from hydra.core.hydra_config import HydraConfig

    @hydra.main(
        version_base=None, config_path=str(Path(sys.argv.pop(1)).resolve()), config_name="c"
    )
    def job(config: object) -> None:
        lr, aug, seed = config.optimizer.lr, config.aug, config.seed  # type: ignore[attr-defined]
        folder = Path(HydraConfig.get().runtime.output_dir)
        error = val_error(str(lr), str(aug), int(seed))
        (folder / "metrics.json").write_text(json.dumps({"val_error": error}))

    job()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        main()
    else:
        import tempfile

        out = Path(sys.argv[1]).resolve()
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "c.yaml").write_text(CONFIG)
            subprocess.run(
                [
                    *(sys.executable, __file__, folder, "--multirun"),
                    f"hydra.sweep.dir={out}/multirun",
                    f"optimizer.lr={','.join(LRS)}",
                    f"aug={','.join(repr(aug) for aug in AUGS)}",
                    f"seed={','.join(map(str, SEEDS))}",
                ],
                check=True,
            )
