"""Reader of CTranslate2's binary model format (version 6): named arrays, little endian.

Layout: version, spec name, spec revision, number of arrays; per array its name, rank, shape, type, size in bytes, data;
then aliases. Strings have a 16-bit length and end in a zero byte. Source: CTranslate2's model specification.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from emotag.errors import ArtifactMismatch, AssetMissing

VERSION = 6
# bfloat16 (5) has no numpy type and is not used by the models this reads.
TYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


def read(path: Path, prefix: str = "") -> dict[str, np.ndarray]:
    """The arrays whose name begins with `prefix`, as stored.

    Raises:
        AssetMissing: there is no such file.
        ArtifactMismatch: it is of another format or version, or cut off.
    """
    if not Path(path).is_file():
        raise AssetMissing(f"{path} does not exist; run the rule fetch_assets, or put the file there by hand")
    with Path(path).open("rb") as file:
        try:
            return dict(_arrays(file, path, prefix))
        except (struct.error, UnicodeDecodeError, ValueError) as error:
            raise ArtifactMismatch(f"{path}: cut off or not a CTranslate2 model ({error}); fetch it again") from error


def _arrays(file: BinaryIO, path: Path, prefix: str) -> Iterator[tuple[str, np.ndarray]]:
    (version,) = _unpack(file, "I")
    if version != VERSION:
        raise ArtifactMismatch(f"{path}: found format version {version}, expected {VERSION}; fetch the asset again")
    _string(file)
    _, count = _unpack(file, "2I")
    for _ in range(count):
        name = _string(file)
        (rank,) = _unpack(file, "B")
        shape = _unpack(file, f"{rank}I")
        kind, size = _unpack(file, "<BI")
        if not name.startswith(prefix):
            file.seek(size, 1)
            continue
        if kind not in TYPES:
            raise ArtifactMismatch(f"{path}: {name} is of type {kind}, expected one of {sorted(TYPES)}")
        yield name, np.frombuffer(file.read(size), TYPES[kind]).reshape(shape)


def _unpack(file: BinaryIO, layout: str) -> tuple:
    layout = "<" + layout.lstrip("<")
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _string(file: BinaryIO) -> str:
    (length,) = _unpack(file, "H")
    return file.read(length).decode().rstrip("\0")
