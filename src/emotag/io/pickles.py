"""Pickles of other people's models, read without running any of their code.

A pickle names functions and classes that are called while it is read. Here a name is looked up in a list of those that
only make arrays and tensors; any other is refused, or becomes an object that does nothing, whichever the caller wants.
"""

import collections
import io
import pickle
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from emotag.errors import ArtifactMismatch, AssetMissing

_MULTIARRAY = {
    ("numpy.core.multiarray", "_reconstruct"): np.core.multiarray._reconstruct,
    ("numpy.core.multiarray", "scalar"): np.core.multiarray.scalar,
}
Names = Mapping[tuple[str, str], Any]
# What numpy 1 and 2 write, by Python 2 and 3.
ARRAYS: Names = {
    **_MULTIARRAY,
    **{("numpy._core.multiarray", name): value for (_, name), value in _MULTIARRAY.items()},
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): lambda text, coding: _latin(text, coding),
    ("collections", "OrderedDict"): collections.OrderedDict,
}
TENSORS: Names = {
    **ARRAYS,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_tensor"): torch._utils._rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
}
# Tensors inside an ordinary pickle: torch keeps each storage as a file of its own, as bytes.
STORED_TENSORS: Names = {
    **TENSORS,
    ("torch.storage", "_load_from_bytes"): lambda data: torch.load(io.BytesIO(data), weights_only=True),
}


class Forbidden(Exception):
    """A pickle names something that is not on the list."""


class Inert:
    """Stands for anything that is not wanted: takes all arguments and states, does nothing."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        """Nothing."""

    def extend(self, values: Any) -> None:
        """Nothing."""


class Reader(pickle.Unpickler):
    """An unpickler that knows `names` alone. `other` stands for all else; without it they are refused."""

    names: Names = ARRAYS
    other: type | None = None

    def find_class(self, module: str, name: str) -> Any:
        """What a pickle's name stands for."""
        known = self.names.get((module, name), self.other)
        if known is None:
            raise Forbidden(f"it names {module}.{name}")
        return known


def _latin(text: str, coding: str) -> bytes:
    if coding not in ("latin1", "latin-1"):
        raise Forbidden(f"it asks for the coding {coding}")
    return text.encode("latin-1")


def read_arrays(path: Path, names: Names) -> Any:
    """Content of a pickle of arrays (Python 2 or 3) that may name only what `names` lists.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, is no pickle, or names anything else.
    """
    with _open(path) as file:
        return _loaded(path, file, names)


def read_object_array(path: Path, names: Names) -> Any:
    """What an object array of no dimensions holds that `numpy.save` wrote (a dictionary, say), read as `read_arrays` does.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, is no such array, or names anything else.
    """
    with _open(path) as file:
        try:
            version = np.lib.format.read_magic(file)
            header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            shape, _, kind = header(file)
        except (ValueError, KeyError) as error:
            raise ArtifactMismatch(f"{path}: is no file of numpy.save ({error}); get it again") from error
        if shape != () or not kind.hasobject:
            raise ArtifactMismatch(f"{path}: holds {kind} {list(shape)}, expected one object; get it again")
        found = _loaded(path, file, names)
    return found.item() if isinstance(found, np.ndarray) and found.shape == () else found


def _loaded(path: Path, file: BinaryIO, names: Names) -> Any:
    """The next pickle of a file."""
    reader = type("ArrayReader", (Reader,), {"names": names})
    try:
        return reader(file, encoding="latin1").load()
    except Forbidden as error:
        raise ArtifactMismatch(
            f"{path}: refused, because {error}, which is no array; get the original file from its authors"
        ) from error
    except Exception as error:
        # Anything may go wrong in a broken pickle; nothing of it has been run.
        raise ArtifactMismatch(f"{path}: cannot be read ({type(error).__name__}: {error}); get it again") from error


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A torch checkpoint on the CPU: its tensors as they are, all other objects in it replaced by inert ones.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, or is no checkpoint.
    """

    class CheckpointReader(Reader):
        names = TENSORS
        other = Inert

    module = types.SimpleNamespace(
        __name__="restricted",
        Unpickler=CheckpointReader,
        load=lambda file, **options: CheckpointReader(file, **options).load(),
    )
    with _open(path) as file:
        try:
            content = torch.load(file, map_location="cpu", weights_only=False, pickle_module=module)
        except Exception as error:
            raise ArtifactMismatch(f"{path}: cannot be read ({type(error).__name__}: {error}); get it again") from error
    if not isinstance(content, dict):
        raise ArtifactMismatch(f"{path}: found {type(content).__name__}, expected a dictionary of tensors")
    return content


def _open(path: Path) -> BinaryIO:
    if not Path(path).is_file():
        raise AssetMissing(f"{path} does not exist; put it into data/by_hand (snakemake assets says where to get it)")
    return Path(path).open("rb")
