"""Safetensors files an array at a time: read on demand, written as a stream, so that no file need fit into memory.

Layout, as the library's: eight bytes of length, a JSON header with each array's type, shape and place, then the arrays, the
widest types first and by name within a type. The header's metadata holds a sha256 of all the rest.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

# In the library's order: arrays of the first types come first.
TYPES = {
    "U64": "<u8", "I64": "<i8", "F64": "<f8", "F32": "<f4", "U32": "<u4", "I32": "<i4", "F16": "<f2", "U16": "<u2",
    "I16": "<i2", "I8": "<i1", "U8": "<u1", "BOOL": "?",
}  # fmt: skip
NAMES = {np.dtype(code): name for name, code in TYPES.items()}
CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class StoredArray:
    """An array in a file. Slices of its first axis and `numpy.asarray` read it, each time anew."""

    file: IO[bytes]
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Rows `start` to `stop` (no step)."""
        start, stop, _ = rows.indices(len(self))
        values = np.empty((max(stop - start, 0), *self.shape[1:]), self.dtype)
        row_bytes = self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=np.int64))
        read_into(self.file, self.offset + start * row_bytes, values)
        return values

    def __array__(self, dtype: Any = None) -> np.ndarray:
        values = np.empty(self.shape, self.dtype)
        read_into(self.file, self.offset, values)
        return values if dtype is None else values.astype(dtype, copy=False)


def read_into(file: IO[bytes], offset: int, values: np.ndarray) -> None:
    """Fill `values` with what the file holds from `offset` on.

    Raises:
        OSError: the file ends before.
    """
    target = memoryview(values.reshape(-1).view(np.uint8))
    while target:
        count = os.preadv(file.fileno(), [target], offset)
        if not count:
            raise OSError(f"{file.name}: ends {len(target)} bytes too early")
        target, offset = target[count:], offset + count


class Spool:
    """Arrays that wait on disk until an artifact of them is saved, in a file without a name (it goes with the process)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)

    def keep(self, array: np.ndarray) -> StoredArray:
        """The same array, on disk."""
        array = np.asarray(array, order="C")
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(array.data)
        self._file.flush()
        return StoredArray(self._file, offset, array.shape, array.dtype)


def stored(path: Path) -> tuple[dict[str, str], dict[str, StoredArray]]:
    """Metadata and arrays of a safetensors file, none of which is read yet. The file stays open as long as they live.

    Raises:
        OSError, ValueError: the file cannot be opened, or has no such header.
    """
    file = Path(path).open("rb")
    length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(length))
    metadata = header.pop("__metadata__", {})
    arrays = {
        name: StoredArray(
            file, 8 + length + entry["data_offsets"][0], tuple(entry["shape"]), np.dtype(TYPES[entry["dtype"]])
        )
        for name, entry in header.items()
    }
    return metadata, arrays


def write_tensors(path: Path, arrays: Mapping[str, np.ndarray | StoredArray], metadata: dict[str, str]) -> None:
    """Write a safetensors file atomically, reading stored arrays as their turn comes."""
    places = list(TYPES)
    order = sorted(arrays, key=lambda name: (places.index(NAMES[arrays[name].dtype]), name))
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    end = 0
    for name in order:
        array = arrays[name]
        start, end = end, end + array.dtype.itemsize * int(np.prod(array.shape, dtype=np.int64))
        header[name] = {"data_offsets": [start, end], "dtype": NAMES[array.dtype], "shape": list(array.shape)}
    digest = hashlib.sha256(canonical(header))
    header["__metadata__"]["sha256"] = digest.hexdigest()
    length = len(canonical(header))
    length += -length % 8
    with atomic(path) as file:
        file.seek(8 + length)
        for name in order:
            data = np.ascontiguousarray(arrays[name]).reshape(-1).view(np.uint8).data
            digest.update(data)
            file.write(data)
        header["__metadata__"]["sha256"] = digest.hexdigest()
        file.seek(0)
        file.write(length.to_bytes(8, "little") + canonical(header).ljust(length))


def is_whole(path: Path) -> bool:
    """Whether a safetensors file is as it was written: by its sha256, where it has one."""
    with Path(path).open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        wanted = header.get("__metadata__", {}).pop("sha256", None)
        digest = hashlib.sha256(canonical(header))
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return wanted in (None, digest.hexdigest())


def canonical(header: dict[str, Any]) -> bytes:
    """A header's JSON, its keys in order."""
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to that takes its name when all is written: a reader sees the old file or the new one, never a part."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        yield file


@contextmanager
def replacing(path: Path, suffix: str = "") -> Iterator[Path]:
    """A temporary name beside `path` that ends in `suffix`, moved to `path` when all went well and removed otherwise."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=suffix)
    os.close(handle)
    try:
        yield Path(name)
        with open(name, "rb") as file:
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
