"""The source files that a module can reach in its package, as digests of what they do.

The digest of a file is that of its syntax tree without docstrings: comments, docstrings and
formatting do not move it, whichever version of Python reads it.
"""

import ast
import hashlib
import importlib.util
import sysconfig
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

LENGTH = 16
"""Hex digits of the digest of a file."""


def used_sources(*modules: str, cut: Collection[str] = ()) -> dict[str, str]:
    """Return module -> digest of its code, for modules and all that they import from their package.

    Nothing is imported: imports are read from the source, also those inside functions.

    Args:
        modules: dotted names to start from.
        cut: modules that are neither taken nor followed, such as menus that import everything.
    """
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        file = source_file(name)
        if name in found or name in cut or file is None:
            continue
        code, imports = _read(file, name, file.name == "__init__.py")
        found[name] = code
        waiting += [one for one in (*imports, *_parents(name)) if _belongs(one, name)]
    return dict(sorted(found.items()))


@cache
def source_file(name: str) -> Path | None:
    """Return the Python file of a module, found without importing it; None: it has none."""
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    place = Path(spec.origin)
    if not rest:
        return place
    if place.name != "__init__.py":
        return None
    inside = place.parent.joinpath(*rest)
    choices = (inside.with_name(f"{inside.name}.py"), inside / "__init__.py")
    return next((file for file in choices if file.is_file()), None)


def _belongs(name: str, importer: str) -> bool:
    """Whether a module is part of the package of the one that imports it, or lies beside it."""
    top, own = name.partition(".")[0], importer.partition(".")[0]
    if top == own:
        return True
    file, beside = source_file(top), source_file(own)
    if file is None or beside is None:
        return False

    # A folder of scripts is no package: what lies beside a script is part of it, too.
    folder = beside.parent if beside.name != "__init__.py" else beside.parent.parent
    place = file.parent if file.name != "__init__.py" else file.parent.parent
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    standard = sysconfig.get_path("stdlib")
    return place == folder and str(folder) not in {*installed, standard}


def _parents(name: str) -> Iterator[str]:
    """Yield the packages that a module is in: their code runs when it is imported."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _read(file: Path, name: str, package: bool) -> tuple[str, tuple[str, ...]]:
    """Return the digest of a file and the names that it imports."""
    stat = file.stat()
    return _parsed(file, name, package, stat.st_mtime_ns, stat.st_size)


@cache
def _parsed(
    file: Path, name: str, package: bool, _changed: int, _size: int
) -> tuple[str, tuple[str, ...]]:
    """Read a file once for each of its states."""
    tree = ast.parse(file.read_bytes())
    imports = tuple(dict.fromkeys(_imports(tree, name, package)))
    return hashlib.sha256(_text(tree).encode()).hexdigest()[:LENGTH], imports


def _imports(tree: ast.AST, name: str, package: bool) -> Iterator[str]:
    """Yield every name that may be an imported module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = name.split(".")
                above = parts[: len(parts) - node.level + package]
                base = ".".join([*above, *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _text(node: object) -> str:
    """Return a syntax tree as text, without docstrings, places, and empty fields."""
    if isinstance(node, ast.AST):
        parts = [
            f"{name}={_text(_without_docstrings(value))}"
            for name, value in ast.iter_fields(node)
            if value not in (None, [], ()) and name not in ("type_comment", "kind", "ctx")
        ]
        return f"{type(node).__name__}({','.join(parts)})"
    if isinstance(node, list):
        return f"[{','.join(map(_text, node))}]"
    return repr(node)


def _without_docstrings(value: object) -> object:
    """Return a list of statements without those that are only a text."""
    if not isinstance(value, list):
        return value
    return [one for one in value if not _is_text(one)]


def _is_text(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def changed(before: Iterable[tuple[str, str]], now: Iterable[tuple[str, str]]) -> list[str]:
    """Return the names of which the digest is another, or which only one side has."""
    old, new = dict(before), dict(now)
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
