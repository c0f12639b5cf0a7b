"""Typed artifacts: one frozen dataclass a kind, saved as safetensors with JSON metadata.

Arrays (and dictionaries of arrays) become tensors; everything else becomes JSON. The metadata holds the kind, its
schema version and where it came from; loading checks the first two. Writes are atomic. There is no pickle anywhere.
"""

import dataclasses
import json
import os
import tempfile
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from emotag.errors import ArtifactMismatch

SEPARATOR = "/"


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a part."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Any) -> None:
    """Write sorted, indented JSON atomically (the same content gives the same bytes)."""
    write_atomic(path, (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())


@dataclasses.dataclass(frozen=True)
class Artifact:
    """Base of all artifacts. Subclasses set `KIND` and `SCHEMA` and declare their fields.

    A field may hold a numpy array, a dictionary of numpy arrays, or anything JSON can hold (tuples come back as lists).
    """

    KIND: ClassVar[str] = ""
    SCHEMA: ClassVar[int] = 1

    def save(self, path: Path, provenance: dict[str, Any] | None = None) -> None:
        """Write the artifact to `path` atomically, stamped with `provenance` (what made it, from what)."""
        tensors: dict[str, np.ndarray] = {}
        plain: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                tensors[field.name] = np.ascontiguousarray(value)
            elif isinstance(value, dict) and value and all(isinstance(v, np.ndarray) for v in value.values()):
                for key, array in value.items():
                    tensors[f"{field.name}{SEPARATOR}{key}"] = np.ascontiguousarray(array)
            else:
                plain[field.name] = value
        metadata = {
            "kind": self.KIND,
            "schema": str(self.SCHEMA),
            "fields": json.dumps(plain, sort_keys=True),
            "provenance": json.dumps(provenance or {}, sort_keys=True),
        }
        write_atomic(Path(path), sorted_header(save(dict(sorted(tensors.items())), metadata)))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read an artifact of this class.

        Raises:
            ArtifactMismatch: the file is not readable, of another kind, or of another schema version.
        """
        metadata, tensors = read_tensors(path)
        found = (metadata.get("kind"), metadata.get("schema"))
        if found != (cls.KIND, str(cls.SCHEMA)):
            raise ArtifactMismatch(
                f"{path}: found kind {found[0]!r} schema {found[1]!r}, expected {cls.KIND!r} schema {cls.SCHEMA!r}; "
                "delete the file and run the rule that makes it again"
            )
        values: dict[str, Any] = json.loads(metadata["fields"])
        for name, array in tensors.items():
            field, _, key = name.partition(SEPARATOR)
            if key:
                values.setdefault(field, {})[key] = array
            else:
                values[field] = array
        expected = {field.name for field in dataclasses.fields(cls)}
        if set(values) != expected:
            raise ArtifactMismatch(
                f"{path}: found fields {sorted(values)}, expected {sorted(expected)}; make the file again"
            )
        return cls(**values)


def sorted_header(data: bytes) -> bytes:
    """The same safetensors file with its header's keys in order: the library writes metadata in random order."""
    length = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Read metadata and arrays of any safetensors file.

    Raises:
        ArtifactMismatch: the file is missing, cut off or not safetensors.
    """
    try:
        with safe_open(str(path), framework="numpy") as file:
            return dict(file.metadata() or {}), {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError, ValueError) as error:
        raise ArtifactMismatch(f"{path}: cannot be read as an artifact ({error}); make the file again") from error


def read_provenance(path: Path) -> dict[str, Any]:
    """Where an artifact came from, as stamped when it was saved."""
    metadata, _ = read_tensors(path)
    return json.loads(metadata.get("provenance", "{}"))
