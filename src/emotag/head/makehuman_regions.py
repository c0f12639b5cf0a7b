"""Named regions of the MakeHuman head: from mesh groups, painted masks, rig weights and geometry.

The parts are those of `emotag.head.regions`.
"""

import numpy as np

from emotag.head.makehuman_source import Source
from emotag.head.regions import PARTS

EYE_RADIUS = 0.015
# The brow arc relative to the eye's centre, in eye radii, on the subject's left (mirrored on the right):
# distance from the middle plane outwards, height of the arc's middle line and its half width.
BROW_ACROSS = np.array([-1.15, -0.5, 0.4, 1.1, 1.75])
BROW_HEIGHT = np.array([1.30, 1.42, 1.55, 1.50, 1.10])
BROW_HALF_WIDTH = np.array([0.26, 0.28, 0.26, 0.22, 0.16])
# Triangles there are as large as a brow is high: one belongs to it when this share of it does.
BROW_COVERAGE = 0.25


def face_labels(
    source: Source, vertices: np.ndarray, faces: np.ndarray, uv: np.ndarray, groups: np.ndarray, neck: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Label every triangle.

    `vertices` [V, 3] m (origin midway between the ears), `faces` [F, 3], `uv` [F, 3, 2], `groups` [F] mesh group names,
    `neck` [V] summed skinning weight of neck and trunk bones.

    Returns: index into `PARTS` [F] uint8, and whether the face belongs to `face` [F] bool.
    """
    centre_uv = uv.mean(1)
    body = groups == "body"
    painted = {
        name: body & (source.mask(name, centre_uv) > 0.5)
        for name in ("lips", "eyelids", "ears", "face", "inside-mouth")
    }
    centres = vertices[faces].mean(1)
    eyes = [vertices[np.unique(faces[groups == f"helper-{side}-eye"])].mean(0) for side in "lr"]
    label = np.zeros(len(faces), np.uint8)

    def paint(part: str, mask: np.ndarray) -> None:
        label[mask] = PARTS.index(part)

    paint("neck", body & (neck[faces].mean(1) > 0.5))
    paint("scalp", body & ~painted["face"] & _above_hairline(centres, eyes))
    paint("brows", painted["face"] & (brow_coverage(vertices[faces], eyes) > BROW_COVERAGE))
    paint("ears", painted["ears"])
    paint("eyelids", painted["eyelids"])
    paint("lips", painted["lips"])
    paint("mouth_interior", painted["inside-mouth"])
    paint("teeth", np.isin(groups, ["helper-upper-teeth", "helper-lower-teeth"]))
    paint("tongue", groups == "helper-tongue")
    paint("eyeballs", np.isin(groups, ["helper-l-eye", "helper-r-eye"]))
    paint("lashes", np.char.find(groups.astype(str), "eyelashes") >= 0)
    front = painted["face"] | painted["lips"] | painted["eyelids"]
    return label, front & ~painted["inside-mouth"]


def _above_hairline(centres: np.ndarray, eyes: list[np.ndarray]) -> np.ndarray:
    """Hair area: above a slanted line from the top of the forehead down behind the ears to the nape."""
    brow = np.mean([eye[1] for eye in eyes]) + 2 * EYE_RADIUS
    forehead, nape = (eyes[0][2], brow + 0.035), (-0.06, -0.045)
    slope = (forehead[1] - nape[1]) / (forehead[0] - nape[0])
    line = nape[1] + slope * np.clip(centres[:, 2] - nape[0], 0.0, None)
    return centres[:, 1] > line


def brow_coverage(corners: np.ndarray, eyes: list[np.ndarray]) -> np.ndarray:
    """Share [F] of each triangle `corners` [F, 3, 3] m that lies on the brow arcs, from ten samples."""
    grid = np.array([(i, j, 3 - i - j) for i in range(4) for j in range(4 - i)])
    samples = np.einsum("gc,fcd->fgd", (grid + 0.25) / 3.75, corners)
    return brow_arc(samples.reshape(-1, 3), eyes).reshape(len(corners), -1).mean(1)


def brow_arc(centres: np.ndarray, eyes: list[np.ndarray]) -> np.ndarray:
    """Which points [P, 3] m of the rest pose lie on the two brow arcs, given the centres of the left and right eye."""
    inside = np.zeros(len(centres), bool)
    for eye, sign in zip(eyes, (1.0, -1.0), strict=True):
        across = (centres[:, 0] - eye[0]) * sign / EYE_RADIUS
        height = (centres[:, 1] - eye[1]) / EYE_RADIUS
        middle = np.interp(across, BROW_ACROSS, BROW_HEIGHT)
        half = np.interp(across, BROW_ACROSS, BROW_HALF_WIDTH)
        within = (across > BROW_ACROSS[0]) & (across < BROW_ACROSS[-1])
        inside |= within & (np.abs(height - middle) < half) & (centres[:, 2] > eye[2] - 2 * EYE_RADIUS)
    return inside
