"""Which source files a module can reach, and which edits of them count."""

import sys
from pathlib import Path

import pytest

from ablate.trainers.sources import source_file, used_sources

FILES = {
    "pack/__init__.py": "",
    "pack/train.py": "from pack.model import net\nfrom . import data\nimport json\n",
    "pack/model.py": "def net():\n    from pack.parts.layer import relu\n    return relu\n",
    "pack/data.py": "import os\n",
    "pack/parts/__init__.py": "",
    "pack/parts/layer.py": 'def relu(x):\n    """Keep what is above 0."""\n    return max(x, 0)\n',
    "pack/report.py": "import pack.train\n",
    "script.py": "import beside\n",
    "beside.py": "X = 1\n",
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    source_file.cache_clear()
    return tmp_path


def test_what_is_imported_from_the_package_is_used(site: Path) -> None:
    assert list(used_sources("pack.train")) == [
        "pack",
        "pack.data",
        "pack.model",
        "pack.parts",
        "pack.parts.layer",
        "pack.train",
    ]
    assert list(used_sources("pack.train", cut=["pack.model"])) == [
        "pack",
        "pack.data",
        "pack.train",
    ]
    assert list(used_sources("script")) == ["beside", "script"]
    assert "pack.train" not in sys.modules
    assert used_sources("json.encoder").keys() >= {"json", "json.encoder"}


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("max(x, 0)", "max(x, 1)", True),
        ("max(x, 0)", "max(\n        x,\n        0,\n    )", False),
        ("Keep what", "Keep all that", False),
        ("    return max", "    # the larger one\n    return max", False),
        ("def relu(x)", "def relu(y)", True),
    ],
)
def test_only_edits_that_do_something_count(site: Path, old: str, new: str, counts: bool) -> None:
    before = used_sources("pack.train")
    file = site / "pack/parts/layer.py"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    after = used_sources("pack.train")
    changed = {name for name in after if after[name] != before[name]}
    assert changed == ({"pack.parts.layer"} if counts else set())
