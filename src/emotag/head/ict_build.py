"""ICT-FaceKit made a head model with ARKit-named units (`emotag.head.arkit`).

Units go by ARKit's names: `_L` and `_R` become Left and Right, browInnerUp and cheekPuff are put together, and what ARKit
does not have (PupilDilate, cheekRaiser) is left out; ICT has no tongueOut. Its eyeLook shapes move the lids alone, and its
eyeballs are dense at the iris; even spheres, fitted to the scleras, take their place. Eye sockets, tear film and eye shadows
are left out: lids and eyeballs hide them. Regions and the neck's share of rotation come from the MakeHuman head registered
to it.
"""

from dataclasses import dataclass

import numpy as np

from emotag.geometry.closest import closest_on_mesh
from emotag.head.arkit import ArkitHead
from emotag.head.arkit_channels import JOINT_UNITS, LOOK, jaw_channels
from emotag.head.arkit_data import ArkitData
from emotag.head.icosphere import icosphere
from emotag.head.ict_source import IctArrays
from emotag.head.landmark_sets import IBUG_INNER_51
from emotag.head.regions import PARTS, vertex_labels
from emotag.head.registration import Registered, Surface, register, transferred_labels

LEFT_OUT = ("PupilDilate", "cheekRaiser")
# By how much an eye has turned where its eyeLook shape moves the lids in full, rad: the files do not say.
LOOK_ANGLE = 0.45
# The tongue is what lies this far inside the lower teeth's arch.
TONGUE_SHARE = 0.7
# Faces further below the registered head than this are chest and shoulders: clothes, to the eye.
BUST_M = 0.005


@dataclass(frozen=True)
class Cut:
    """What is kept: triangles `faces` [F, 3] of all vertices, `uv` [F, 3, 2], the part's name of each face [F]."""

    faces: np.ndarray
    uv: np.ndarray
    part: np.ndarray


def build(source: IctArrays, makehuman: ArkitHead) -> ArkitData:
    """The head model."""
    cut, balls, layout = triangles(source), [icosphere(), icosphere()], source.layout
    first = len(source.neutral)
    count = first + sum(len(ball.vertices) for ball in balls)
    neutral, identity = with_eyeballs(source, balls)
    units = {
        name: np.pad(shape, ((0, count - first), (0, 0))) for name, shape in arkit_units(source.expression).items()
    }
    sides = np.zeros((2, count), bool)
    for side, ball in enumerate(balls):
        start = first + side * len(ball.vertices)
        sides[side, start : start + len(ball.vertices)] = True
        cut = added(cut, ball.faces + start)
    named = dict(zip(IBUG_INNER_51, neutral[list(layout.inner_51)], strict=True))
    outer = np.isin(cut.part, ("face", "head_and_neck", "mouth_socket", "eyeballs"))
    surface = Surface(neutral, cut.faces[outer], sides, named)
    registered = register(makehuman, surface)
    labels, front = labelled(cut, outer, surface, registered, layout.lower_teeth)
    share = root_shares(registered, neutral, cut, outer)
    ears = registered.vertices[makehuman.vertex_regions["ears"].numpy()].mean(0) * [0, 1, 1]
    neutral = neutral - ears
    names = [name for name in units if name not in JOINT_UNITS and not name.startswith(LOOK)]
    lids = [name for name in units if name.startswith(LOOK)]
    jaw, jaw_limits = jaw_channels(neutral, units, np.arange(*layout.lower_teeth))
    kept = np.zeros(count, bool)
    kept[cut.faces] = True
    number = np.cumsum(kept) - 1
    # The vertices stay, so that the shipped landmarks' numbers hold.
    used = ~bust(cut, neutral + ears, registered)
    faces, labels, front = number[cut.faces[used]], labels[used], front[used]
    return ArkitData(
        name="ict",
        expression_names=names,
        lid_names=lids,
        jaw_limits=jaw_limits,
        neutral=neutral[kept].astype(np.float32),
        faces=faces,
        uv=cut.uv[used].astype(np.float32),
        shape_basis=identity[:, kept].astype(np.float32),
        expression_basis=np.stack([units[name][kept] for name in names]).astype(np.float32),
        jaw_basis=jaw[:, kept].astype(np.float32),
        lid_basis=np.stack([units[name][kept] / LOOK_ANGLE for name in lids]).astype(np.float32),
        eyeball=sides[:, kept],
        root_share=share[kept].astype(np.float32),
        face_part=labels,
        vertex_part=vertex_labels(faces, labels, int(kept.sum())),
        face_area=front,
    )


def triangles(source: IctArrays) -> Cut:
    """The parts that are used, each polygon of four as two triangles."""
    faces, uv, part = [], [], []
    for name, (start, stop) in source.layout.parts.items():
        for corners in ([0, 1, 2], [0, 2, 3]):
            there = np.flatnonzero(source.polygons[start:stop, corners[-1]] >= 0) + start
            faces.append(source.polygons[there][:, corners])
            uv.append(source.uv[there][:, corners])
            part.append(np.full(len(there), name))
    return Cut(np.concatenate(faces), np.concatenate(uv), np.concatenate(part))


def added(cut: Cut, faces: np.ndarray) -> Cut:
    """With the faces of an eyeball, which have no texture of their own."""
    return Cut(
        np.concatenate([cut.faces, faces]),
        np.concatenate([cut.uv, np.zeros((len(faces), 3, 2))]),
        np.concatenate([cut.part, np.full(len(faces), "eyeballs")]),
    )


def arkit_units(shapes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Displacements [V, 3] by ARKit's names, in alphabetical order."""
    units: dict[str, np.ndarray] = {}
    for name in sorted(shapes):
        stem, _, side = name.partition("_")
        if stem in LEFT_OUT:
            continue
        if stem in ("browInnerUp", "cheekPuff"):
            units[stem] = units.get(stem, 0) + shapes[name]
        else:
            units[stem + {"L": "Left", "R": "Right", "": ""}[side]] = shapes[name]
    return units


def with_eyeballs(source: IctArrays, balls: list) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [V, 3] and identity displacements [S, V, 3] with spheres at the end that follow the scleras."""
    neutral, identity = [source.neutral], [source.identity]
    for (start, stop), ball in zip(source.layout.scleras, balls, strict=True):
        sclera = source.neutral[start:stop]
        centre, radius = fitted_sphere(sclera)
        vertices = centre + radius * ball.vertices
        # An affine map of the sclera's displacements: shift, growth and stretching, no detail.
        rows = np.column_stack([np.ones(len(sclera)), sclera - centre])
        affine = np.linalg.lstsq(
            rows, source.identity[:, start:stop].transpose(1, 0, 2).reshape(len(sclera), -1), rcond=None
        )
        moved = np.column_stack([np.ones(len(vertices)), vertices - centre]) @ affine[0]
        neutral.append(vertices)
        identity.append(moved.reshape(len(vertices), -1, 3).transpose(1, 0, 2))
    return np.concatenate(neutral), np.concatenate(identity, 1)


def fitted_sphere(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre [3] and radius of the sphere through `points` [N, 3] (algebraic least squares)."""
    rows = np.column_stack([2 * points, np.ones(len(points))])
    solution = np.linalg.lstsq(rows, (points**2).sum(1), rcond=None)[0]
    return solution[:3], float(np.sqrt(solution[3] + (solution[:3] ** 2).sum()))


def labelled(
    cut: Cut, outer: np.ndarray, surface: Surface, registered: Registered, lower_teeth: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Region [F] of each face (index into `emotag.head.regions.PARTS`), and whether it belongs to `face`."""
    labels, front = np.zeros(len(cut.faces), np.uint8), np.zeros(len(cut.faces), bool)
    labels[outer], front[outer] = transferred_labels(registered, surface)
    inside = {"mouth_socket": "mouth_interior", "gums_and_tongue": "mouth_interior", "teeth": "teeth"}
    inside |= {"lashes_left": "lashes", "lashes_right": "lashes"}
    for part, region in inside.items():
        labels[cut.part == part] = PARTS.index(region)
        front[cut.part == part] = False
    # Only the socket is inside the mouth: what the registration takes for it on the face is lip.
    skin = (cut.part == "face") & (labels == PARTS.index("mouth_interior"))
    labels[skin] = PARTS.index("lips")
    front |= skin
    labels[(cut.part == "gums_and_tongue") & tongue(cut, surface.vertices, lower_teeth)] = PARTS.index("tongue")
    return labels, front


def bust(cut: Cut, neutral: np.ndarray, registered: Registered) -> np.ndarray:
    """[F] bool: faces of chest and shoulders, which lie well below the end of the registered head's neck."""
    lowest = registered.vertices[:, 1].min() - BUST_M
    return (cut.part == "head_and_neck") & (neutral[cut.faces][..., 1].mean(1) < lowest)


def tongue(cut: Cut, neutral: np.ndarray, lower_teeth: tuple[int, int]) -> np.ndarray:
    """[F] bool: faces whose middle lies well inside the arch of the lower teeth and not above their upper edge's height."""
    teeth = neutral[slice(*lower_teeth)]
    middle, half = (teeth.min(0) + teeth.max(0)) / 2, np.ptp(teeth, axis=0) / 2
    away = (neutral[cut.faces].mean(1) - middle) / half
    return (np.hypot(away[:, 0], away[:, 2]) < TONGUE_SHARE) & (away[:, 1] < 1.0)


def root_shares(registered: Registered, neutral: np.ndarray, cut: Cut, outer: np.ndarray) -> np.ndarray:
    """Share [V] of the head's rotation, of the nearest registered surface; 1 for all that is inside."""
    head = registered.head
    faces, own = head.faces.numpy(), head.root_share.double().numpy()
    skin = np.zeros(len(neutral), bool)
    skin[cut.faces[outer & (cut.part != "mouth_socket") & (cut.part != "eyeballs")]] = True
    found = closest_on_mesh(neutral[skin], registered.vertices, faces)
    share = np.ones(len(neutral))
    share[skin] = np.einsum("nc,nc->n", found.barycentric, own[faces[found.face]])
    return share
