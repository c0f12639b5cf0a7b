"""Which code a stage is made of: the closure of its imports inside the package, as `module@digest` lines.

Snakemake does not notice edits of imported modules, so every rule carries these lines as a parameter. A digest is taken
of the syntax tree without docstrings: comments, layout and documentation never make anything again.

Three refinements keep the closure exact:
- Modules that only declare things (settings, artifacts, constants) count by the names a stage uses of them, so that a
  new setting of one stage does not make all the others again.
- A data file that a module names by a string constant and that lies beside it counts as part of that module.
- `emotag.stage` and what it needs only carry a call to `run`, this module only names code, `emotag.kernel_cache` only
  says when kernels are compiled anew, `emotag.devices` which GPU a job has, `emotag` itself holds the version: they shape
  no result and do not count.
"""

import ast
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = "emotag"
ROOT = Path(__file__).resolve().parent.parent
DECLARATIONS = ("emotag.config", "emotag.artifacts", "emotag.types", "emotag.errors")
CARRIERS = ("emotag", "emotag.stage", "emotag.devices", "emotag.kernel_cache", "emotag.workflow.sources")
DATA_SUFFIXES = (".json", ".npz", ".safetensors", ".csv", ".cpp", ".html")


@dataclass(frozen=True)
class Source:
    """One parsed module: its tree without docstrings and, for each imported module, the names taken from it."""

    tree: ast.Module
    imports: dict[str, frozenset[str]]
    data: tuple[Path, ...]


def path_of(module: str) -> Path | None:
    """File of a module of the package, or None."""
    base = ROOT.joinpath(*module.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if module.split(".")[0] == PACKAGE and path.is_file():
            return path
    return None


def modules() -> list[str]:
    """Every module of the package, by name."""
    names = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        names.append(".".join((PACKAGE, *(parts[:-1] if parts[-1] == "__init__" else parts))))
    return names


class _WithoutDocstrings(ast.NodeTransformer):
    """Removes every expression statement that is only a string."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) else node


@cache
def read(module: str) -> Source:
    """Parse one module (once a process).

    Raises:
        ModuleNotFoundError: the package has no such module.
    """
    path = path_of(module)
    if path is None:
        raise ModuleNotFoundError(f"{module}: no such module in {ROOT}")
    tree = _WithoutDocstrings().visit(ast.parse(path.read_text(encoding="utf-8"), str(path)))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    named = {path.parent / text for text in texts if text.endswith(DATA_SUFFIXES) and "/" not in text}
    return Source(tree, imports_of(module, path, tree), tuple(sorted(file for file in named if file.is_file())))


def imports_of(module: str, path: Path, tree: ast.Module) -> dict[str, frozenset[str]]:
    """Modules of the package that `tree` imports, anywhere in it, with the names taken from each ('*' for all)."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found.setdefault(alias.name, set()).add("*")
        elif isinstance(node, ast.ImportFrom):
            parent = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (parent, node.module or "") if part)
            for alias in node.names:
                if path_of(f"{base}.{alias.name}"):
                    found.setdefault(f"{base}.{alias.name}", set()).add("*")
                else:
                    found.setdefault(base, set()).add(alias.name)
    return {name: frozenset(names) for name, names in sorted(found.items()) if path_of(name)}


@cache
def digest(module: str, names: frozenset[str] = frozenset({"*"})) -> str:
    """12 hex digits of a module's syntax and data files, or of what `names` needs in a declaring module."""
    source = read(module)
    tree = source.tree if "*" in names else ast.Module(needed(source.tree, names), [])
    content = hashlib.sha256(ast.dump(tree).encode())
    for file in source.data:
        content.update(file.read_bytes())
    return content.hexdigest()[:12]


def needed(tree: ast.Module, names: frozenset[str]) -> list[ast.stmt]:
    """Top-level statements of a declaring module that `names` depend on, in their order."""
    chosen: set[int] = set()
    wanted, seen = set(names), set()
    while wanted:
        name = wanted.pop()
        seen.add(name)
        for number, statement in enumerate(tree.body):
            if name in defined(statement) and number not in chosen:
                chosen.add(number)
                used = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
                wanted |= used - seen
    return [tree.body[number] for number in sorted(chosen)]


def defined(statement: ast.stmt) -> set[str]:
    """Names that a top-level statement binds."""
    if isinstance(statement, ast.ClassDef | ast.FunctionDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


@cache
def closure(*roots: str) -> list[str]:
    """`module@digest` of `roots` and of all that they import inside the package, sorted.

    A module that is loaded by name at run time (a method, a renderer) must be given as a root of its own.
    """
    uses: dict[str, set[str]] = {}
    queue = [(root, "*") for root in roots]
    while queue:
        module, name = queue.pop()
        if module in CARRIERS or name in uses.get(module, ()):
            continue
        first = module not in uses
        uses.setdefault(module, set()).add(name)
        parent = module.rpartition(".")[0]
        if parent:
            queue.append((parent, "*"))
        if first:
            queue += [(target, used) for target, names in read(module).imports.items() for used in names]
    return sorted(
        f"{module}@{digest(module, frozenset(names if module in DECLARATIONS else '*'))}"
        for module, names in uses.items()
    )
