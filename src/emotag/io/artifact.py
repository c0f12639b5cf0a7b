"""Typed artifacts: one frozen dataclass a kind, saved as safetensors with JSON metadata.

Arrays (and dictionaries of arrays) become tensors; everything else becomes JSON. The metadata holds the kind, its
schema version, where it came from and a sha256 of it all; loading checks all but the third. Writes are atomic. There
is no pickle anywhere.
"""

import dataclasses
import json
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from safetensors import SafetensorError, safe_open

from emotag.errors import ArtifactMismatch
from emotag.io.tensors import StoredArray, atomic, is_whole, stored, write_tensors

SEPARATOR = "/"
ARRAY = (np.ndarray, StoredArray)
FINITE_ROWS = 4096


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a part."""
    with atomic(path) as file:
        file.write(data)


def write_json(path: Path, content: Any) -> None:
    """Write sorted, indented JSON atomically (the same content gives the same bytes)."""
    write_atomic(path, (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())


@dataclasses.dataclass(frozen=True)
class Artifact:
    """Base of all artifacts. Subclasses set `KIND` and `SCHEMA`, declare their fields and may state the `SHAPES` of arrays:
    numbers, or letters that stand for one number each. Arrays with a stated shape hold finite numbers.

    A field may hold a numpy array, a dictionary of numpy arrays, or anything JSON can hold (tuples come back as lists).
    """

    KIND: ClassVar[str] = ""
    SCHEMA: ClassVar[int] = 1
    SHAPES: ClassVar[dict[str, tuple[int | str, ...]]] = {}

    def save(self, path: Path, provenance: dict[str, Any] | None = None) -> None:
        """Write the artifact to `path` atomically, stamped with `provenance` (what made it, from what)."""
        tensors: dict[str, np.ndarray | StoredArray] = {}
        plain: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, ARRAY):
                tensors[field.name] = value
            elif isinstance(value, Mapping) and value and all(isinstance(v, ARRAY) for v in value.values()):
                tensors |= {f"{field.name}{SEPARATOR}{key}": array for key, array in value.items()}
            else:
                plain[field.name] = value
        metadata = {
            "kind": self.KIND,
            "schema": str(self.SCHEMA),
            "fields": json.dumps(plain, sort_keys=True),
            "provenance": json.dumps(provenance or {}, sort_keys=True),
        }
        write_tensors(path, tensors, metadata)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read an artifact of this class.

        Raises:
            ArtifactMismatch: the file is not readable, of another kind or schema version, or its fields are not as declared.
        """
        return cls._of(path, *read_tensors(path))

    @classmethod
    def open(cls, path: Path) -> Self:
        """The same with arrays that are read when they are asked for (`StoredArray`), so that any length fits.

        Raises:
            ArtifactMismatch: as `load`.
        """
        return cls._of(path, *open_tensors(path))

    @classmethod
    def _of(cls, path: Path, metadata: dict[str, str], tensors: Mapping[str, Any]) -> Self:
        found = (metadata.get("kind"), metadata.get("schema"))
        if found != (cls.KIND, str(cls.SCHEMA)):
            raise ArtifactMismatch(
                f"{path}: found kind {found[0]!r} schema {found[1]!r}, expected {cls.KIND!r} schema {cls.SCHEMA!r}; "
                "delete the file and run the rule that makes it again"
            )
        values = _plain_fields(metadata, path)
        for name, array in tensors.items():
            field, _, key = name.partition(SEPARATOR)
            if key and isinstance(values.setdefault(field, {}), dict):
                values[field][key] = array
            else:
                values[field] = array
        expected = {field.name for field in dataclasses.fields(cls)}
        if set(values) != expected:
            raise ArtifactMismatch(
                f"{path}: found fields {sorted(values)}, expected {sorted(expected)}; make the file again"
            )
        if fault := cls._fault(values):
            raise ArtifactMismatch(f"{path}: {fault}; delete the file and run the rule that makes it again")
        return cls(**values)

    @classmethod
    def _fault(cls, values: dict[str, Any]) -> str:
        """What about the fields is not as declared, or nothing."""
        for name, hint in typing.get_type_hints(cls).items():
            if typing.get_origin(hint) is not ClassVar and not _fits(values[name], hint):
                return f"field {name} is {type(values[name]).__name__}, expected {getattr(hint, '__name__', hint)}"
        sizes: dict[str, int] = {}
        for name, shape in cls.SHAPES.items():
            found = values[name].shape
            wanted = [sizes.get(size, size) if isinstance(size, str) else size for size in shape]
            if len(found) != len(shape) or any(
                isinstance(size, int) and size != other for size, other in zip(wanted, found, strict=True)
            ):
                return f"{name} has shape {list(found)}, expected {wanted}"
            sizes |= {size: other for size, other in zip(shape, found, strict=True) if isinstance(size, str)}
            if not _is_finite(values[name]):
                return f"{name} holds numbers that are not finite"
        return ""


def _is_finite(array: np.ndarray | StoredArray) -> bool:
    """Whether all numbers are, looked at a part at a time."""
    if not array.shape:
        return bool(np.isfinite(array))
    parts = (array[start : start + FINITE_ROWS] for start in range(0, len(array), FINITE_ROWS))
    return all(np.isfinite(part).all() for part in parts)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a declared type: an array, text, a number, or a list or dictionary of anything."""
    kind = typing.get_origin(hint) or hint
    return isinstance(value, {float: (int, float), np.ndarray: ARRAY}.get(kind, kind))


def _plain_fields(metadata: dict[str, str], path: Path) -> dict[str, Any]:
    try:
        values = json.loads(metadata["fields"])
    except (KeyError, ValueError, RecursionError) as error:
        raise ArtifactMismatch(f"{path}: its fields cannot be read ({error!r}); make the file again") from error
    if not isinstance(values, dict):
        raise ArtifactMismatch(f"{path}: found fields {type(values).__name__}, expected dict; make the file again")
    return values


def read_json(path: Path, *keys: str) -> dict[str, Any]:
    """A JSON file that a stage wrote, which holds at least `keys`.

    Raises:
        ArtifactMismatch: it is cut off, not JSON, or lacks a key.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ArtifactMismatch(f"{path}: cannot be read as JSON ({error}); make the file again") from error
    lacking = [key for key in keys if key not in content] if isinstance(content, dict) else list(keys) or ["keys"]
    if lacking:
        raise ArtifactMismatch(f"{path}: has no {', '.join(lacking)}; make the file again")
    return content


def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Read metadata and arrays of any safetensors file.

    Raises:
        ArtifactMismatch: the file is missing, cut off or not safetensors.
    """
    with _checked(path), safe_open(str(path), framework="numpy") as file:
        return dict(file.metadata() or {}), {name: file.get_tensor(name) for name in file.keys()}


def open_tensors(path: Path) -> tuple[dict[str, str], dict[str, StoredArray]]:
    """The same with arrays that are read when they are asked for.

    Raises:
        ArtifactMismatch: as `read_tensors`.
    """
    # The library refuses a header whose arrays do not lie inside the file.
    with _checked(path), safe_open(str(path), framework="numpy"):
        return stored(path)


@contextmanager
def _checked(path: Path) -> Iterator[None]:
    try:
        yield
        if not is_whole(path):
            raise ArtifactMismatch(f"{path}: its content is not what was written (sha256); make the file again")
    except (SafetensorError, OSError, ValueError) as error:
        raise ArtifactMismatch(f"{path}: cannot be read as an artifact ({error}); make the file again") from error


def read_people(path: Path) -> list[str]:
    """The people that a corpus or a prior says it holds.

    Raises:
        ArtifactMismatch: the file cannot be read.
    """
    people = _plain_fields(open_tensors(path)[0], path).get("people", [])
    return list(people.values() if isinstance(people, dict) else people)


def read_provenance(path: Path) -> dict[str, Any]:
    """Where an artifact came from, as stamped when it was saved."""
    return json.loads(open_tensors(path)[0].get("provenance", "{}"))
