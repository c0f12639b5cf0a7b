"""ICT Face Model Light as arrays (Li et al. 2020, "Learning formation of physically-based face attributes"; MIT licence).

The repository ICT-VGL/ICT-FaceKit has one Wavefront file a shape in `FaceXModel`: `generic_neutral_mesh.obj`,
`identity000.obj` to `identity099.obj` and one for each expression, all of one topology in centimetres. Its README states the
vertex and polygon ranges of the parts and the numbers of the 68 landmarks.
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotag.errors import ArtifactMismatch, AssetMissing

METRES = 0.01
NEEDED = ("jawOpen", "jawLeft", "jawRight", "mouthClose", "eyeBlink_L", "eyeBlink_R")
ADVICE = "get ICT-FaceKit.zip again: python -m emotag accept ICT-FaceKit.zip"
FOLDER, NEUTRAL = "FaceXModel", "generic_neutral_mesh"
Place = Path | zipfile.Path


@dataclass(frozen=True)
class Layout:
    """Numbers of vertices, polygons and identity shapes, polygon ranges of the `parts` that are used, vertex ranges of the
    `scleras` (left, right) and the `lower_teeth`, and the vertices of iBUG's points 17 to 67, `inner_51`."""

    vertices: int
    polygons: int
    identities: int
    parts: dict[str, tuple[int, int]]
    scleras: tuple[tuple[int, int], tuple[int, int]]
    lower_teeth: tuple[int, int]
    inner_51: tuple[int, ...]


LIGHT = Layout(
    vertices=26719,
    polygons=26384,
    identities=100,
    parts={
        "face": (0, 9230), "head_and_neck": (9230, 11144), "mouth_socket": (11144, 13226),
        "gums_and_tongue": (14034, 17006), "teeth": (17006, 21496), "lashes_left": (25304, 25844),
        "lashes_right": (25844, 26384),
    },
    scleras=((21451, 22221), (23021, 23791)),
    lower_teeth=(19247, 21451),
    # Multi-PIE's points 17 to 67 in the README: brows, nose, eyes, lips.
    inner_51=(
        268, 493, 1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360,
        1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213,
        6346, 6461, 5518, 5957, 5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class IctArrays:
    """`neutral` [V, 3] m, `polygons` [P, 4] (a triangle's last corner is -1), `uv` [P, 4, 2], `identity` [S, V, 3] m
    displacements, `expression` {name: [V, 3]} m by the files' names (browDown_L, …), and the `layout` that says what is
    what."""

    layout: Layout
    neutral: np.ndarray
    polygons: np.ndarray
    uv: np.ndarray
    identity: np.ndarray
    expression: dict[str, np.ndarray]


def read(repository: Path, layout: Layout = LIGHT) -> IctArrays:
    """The arrays of an archive (.zip) of the repository, or of a clone of it.

    Raises:
        AssetMissing, ArtifactMismatch: a file is not there, or not of the model's topology.
    """
    if not Path(repository).is_file():
        return _read_folder(Path(repository) / FOLDER, layout)
    try:
        with zipfile.ZipFile(repository) as archive:
            return _read_folder(_inside(archive, Path(repository)), layout)
    except (zipfile.BadZipFile, zlib.error) as error:
        raise ArtifactMismatch(f"{repository}: cannot be read ({error}); {ADVICE}") from error


def _inside(archive: zipfile.ZipFile, path: Path) -> zipfile.Path:
    """The model's folder in an archive, whose topmost folder is named after the commit."""
    for name in archive.namelist():
        if name.endswith(f"{FOLDER}/{NEUTRAL}.obj"):
            return zipfile.Path(archive, name.removesuffix(f"{NEUTRAL}.obj"))
    raise AssetMissing(f"{path}: no {FOLDER}/{NEUTRAL}.obj in it; {ADVICE}")


def _read_folder(model: Place, layout: Layout) -> IctArrays:
    neutral, polygons, uv = _read_mesh(model / f"{NEUTRAL}.obj", layout)
    names = sorted(file.name.removesuffix(".obj") for file in model.iterdir() if file.name.endswith(".obj"))
    expressions = [name for name in names if not name.startswith(("identity", NEUTRAL))]
    if missing := [name for name in NEEDED if name not in expressions]:
        raise AssetMissing(f"{model}: no {', '.join(missing)}; {ADVICE}")
    people = [model / f"identity{i:03d}.obj" for i in range(layout.identities)]
    identity = np.stack([_read_vertices(file, _lines(file), layout) - neutral for file in people])
    files = {name: model / f"{name}.obj" for name in expressions}
    shapes = {name: _read_vertices(file, _lines(file), layout) - neutral for name, file in files.items()}
    return IctArrays(layout, neutral, polygons, uv, identity, shapes)


def _lines(path: Place) -> list[str]:
    if not path.is_file():
        raise AssetMissing(f"{path} does not exist; {ADVICE}")
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def _read_vertices(path: Place, lines: list[str], layout: Layout) -> np.ndarray:
    rows = [line.split()[1:4] for line in lines if line.startswith("v ")]
    try:
        found = np.array(rows, np.float64).reshape(-1, 3)
    except ValueError as error:
        raise ArtifactMismatch(f"{path}: a vertex cannot be read ({error}); {ADVICE}") from error
    if len(found) != layout.vertices:
        raise ArtifactMismatch(f"{path}: {len(found)} vertices, expected {layout.vertices}; {ADVICE}")
    return METRES * found


def _read_mesh(path: Place, layout: Layout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, polygons and the texture coordinates of their corners."""
    lines = _lines(path)
    vertices = _read_vertices(path, lines, layout)
    try:
        texture = np.array([line.split()[1:3] for line in lines if line.startswith("vt ")], np.float32)
        corners = [[corner.split("/")[:2] for corner in line.split()[1:]] for line in lines if line.startswith("f ")]
        filled = [polygon + (4 - len(polygon)) * [["0", "0"]] for polygon in corners]
        polygons = np.array(filled, np.int64) - 1
    except ValueError as error:
        raise ArtifactMismatch(f"{path}: a polygon cannot be read ({error}); {ADVICE}") from error
    wanted = (layout.polygons, 4, 2)
    if (
        polygons.shape != wanted
        or (polygons.max((0, 1)) >= (len(vertices), len(texture))).any()
        or (polygons[:, :3] < 0).any()
        or (polygons < -1).any()
    ):
        raise ArtifactMismatch(f"{path}: polygons {list(polygons.shape)}, expected {list(wanted)}; {ADVICE}")
    return vertices, polygons[..., 0], texture[polygons[..., 1]]
