"""Lightning: `hparams.yaml` and the `metrics.csv` of its CSVLogger, in `version_0` and so on."""

from pathlib import Path

from ablate.judging.files.plain import read_csv
from ablate.judging.run_file import Content, RunFile, flat


def read_hparams(path: Path) -> Content:
    """Return hyperparameters; objects of Python, which need code to be read, are left out."""
    import yaml

    class Loader(yaml.SafeLoader):
        """A safe loader that reads tags of Python's objects as nothing."""

    Loader.add_multi_constructor("", lambda _loader, _tag, _node: None)
    values = yaml.load(path.read_text(encoding="utf-8"), Loader)
    return Content(flat(values) if isinstance(values, dict) else {})


FILES = {
    "lightning-options": RunFile("hparams.yaml", read_hparams, numbers=False),
    "lightning": RunFile("metrics.csv", read_csv),
}
