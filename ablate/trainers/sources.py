"""Digests of the source files that a module can reach in its package.

The digest of a file is that of its syntax tree without docstrings. Comments, docstrings, and
formatting do not change the digest, and neither does the version of Python.
"""

import ast
import hashlib
import importlib.util
import sysconfig
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

LENGTH = 16
"""Number of hex digits of a file's digest."""


def used_sources(*modules: str, cut: Collection[str] = ()) -> dict[str, str]:
    """Return module -> digest of its code, for modules and what they import from their package.

    The imports are read from the source, including those inside functions; no module is imported.

    Args:
        modules: dotted names to start from.
        cut: modules that are left out with their imports, such as menus that import everything.
    """
    digests: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        file = source_file(name)
        if name in digests or name in cut or file is None:
            continue
        code, imports = _read(file, name, file.name == "__init__.py")
        digests[name] = code
        waiting += [other for other in (*imports, *_parents(name)) if _belongs(other, name)]
    return dict(sorted(digests.items()))


@cache
def source_file(name: str) -> Path | None:
    """Return the Python file of a module without importing the module; None: it has no file."""
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
    """Return whether a module is in the package or the folder of the module that imports it."""
    top, own = name.partition(".")[0], importer.partition(".")[0]
    return top == own or _are_neighbors(top, own)


@cache
def _are_neighbors(one: str, other: str) -> bool:
    """Return whether two top-level modules are in one folder, which isn't an installed one."""
    file, importing = source_file(one), source_file(other)
    if file is None or importing is None:
        return False

    # Scripts import their neighbors although their folder isn't a package.
    folder = importing.parent if importing.name != "__init__.py" else importing.parent.parent
    place = file.parent if file.name != "__init__.py" else file.parent.parent
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    standard = sysconfig.get_path("stdlib")
    return place == folder and str(folder) not in {*installed, standard}


def _parents(name: str) -> Iterator[str]:
    """Yield the packages around a module, whose code runs when the module is imported."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _read(file: Path, name: str, package: bool) -> tuple[str, tuple[str, ...]]:
    """Return the digest of a file, and the names that the file imports."""
    stat = file.stat()
    return _parsed(file, name, package, stat.st_mtime_ns, stat.st_size)


@cache
def _parsed(
    file: Path, name: str, package: bool, _changed: int, _size: int
) -> tuple[str, tuple[str, ...]]:
    """Return the digest and the imports of a file, parsed once per change time and size."""
    tree = ast.parse(file.read_bytes())
    imports = tuple(dict.fromkeys(_imports(tree, name, package)))
    return hashlib.sha256(_text(tree).encode()).hexdigest()[:LENGTH], imports


def _imports(tree: ast.AST, name: str, package: bool) -> Iterator[str]:
    """Yield every name that may be an imported module, relative imports made absolute."""
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
    """Return a syntax tree as text, without docstrings, line numbers, and empty fields."""
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
    """Return a list of statements without those that are only a string; other values unchanged."""
    if not isinstance(value, list):
        return value
    return [statement for statement in value if not _is_text(statement)]


def _is_text(node: object) -> bool:
    """Return whether a statement is only a string, such as a docstring."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def changed(before: Iterable[tuple[str, str]], now: Iterable[tuple[str, str]]) -> list[str]:
    """Return the names whose digests differ, or that only one side has, in alphabetical order."""
    old, new = dict(before), dict(now)
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
