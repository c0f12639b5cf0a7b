"""Colours of the talkers: skin with blotches and freckles, lips, brows, eyes, hair, mouth and shirt.

Everything is a function of the place on the mean rest face, so colours belong to the surface and move with it. Colours
are linear light, 0 to 1.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from emotag.head.arkit import ArkitHead
from emotag.head.landmark_sets import OUTER_LIP_LOWER, OUTER_LIP_UPPER
from emotag.head.makehuman_regions import brow_arc
from emotag.synthetic.surface import Noise, Subdivision, smoothstep

# Half angles in rad of pupil, iris and its dark rim, seen from the eyeball's centre.
PUPIL, IRIS, RIM = 0.17, 0.40, 0.46
HAIR_HEIGHT_M = 0.020
LIP_OUTLINE = (*OUTER_LIP_UPPER, *OUTER_LIP_LOWER[-2:0:-1])
# Half the width of the edge of the lips' red.
LIP_EDGE_M = 0.0008


@dataclass(frozen=True)
class Look:
    """Colours [3] as sRGB 0 to 1; `hair_lift` and `freckles` are factors, `receding` m by which the hairline stands
    higher, `beard` 0 to 1, `hair_length` m from the ears down (0: short hair, free ears), `brows` 0 to 1,
    `mouth_light` the factor on all that lies inside the mouth, `lower_teeth` the one on its lower half."""

    skin: tuple[float, float, float] = (0.80, 0.61, 0.52)
    lips: tuple[float, float, float] = (0.68, 0.37, 0.36)
    hair: tuple[float, float, float] = (0.22, 0.14, 0.10)
    iris: tuple[float, float, float] = (0.30, 0.40, 0.45)
    shirt: tuple[float, float, float] = (0.20, 0.30, 0.42)
    backdrop: tuple[float, float, float] = (0.62, 0.66, 0.68)
    hair_lift: float = 1.0
    receding: float = 0.0
    beard: float = 0.0
    freckles: float = 1.0
    hair_length: float = 0.0
    brows: float = 1.0
    mouth_light: float = 1.0
    lower_teeth: float = 0.6


@dataclass(frozen=True)
class Paint:
    """Per vertex of the subdivided head: `colours` [V, 3] linear, `gloss` [V] 0 to 1 (strength of the highlight), and
    `hair_height` [V] m by which hair stands off the scalp, `hair` and `shirt` [V] 0 to 1 where there
    is some."""

    colours: np.ndarray
    gloss: np.ndarray
    hair_height: np.ndarray
    hair: np.ndarray
    shirt: np.ndarray


def linear(colour: tuple[float, float, float] | np.ndarray) -> np.ndarray:
    """SRGB 0 to 1 to linear light (gamma 2.2)."""
    return np.asarray(colour, np.float64) ** 2.2


def paint(head: ArkitHead, division: Subdivision, look: Look, seed: int) -> Paint:
    """Colour every vertex of the subdivided head."""
    rest = division(head.neutral.double().numpy())
    eyes = [head.neutral[index].double().mean(0).numpy() for index in head.eyeballs]
    region = {name: division(mask[:, None].double().numpy())[:, 0] for name, mask in head.vertex_regions.items()}
    region["lips"] = lip_red(rest, head.landmarks(head.neutral[None])[0].double().numpy(), region)
    noise = Noise(seed)
    colours, gloss = _skin(rest, eyes, region, look, noise)
    edge = hairline(rest, eyes) - look.receding
    field = edge + 0.004 * noise(rest, 0.006) + 0.003 * noise(rest, 0.015)
    allowed = np.clip(1.5 * (region["scalp"] + region["skin"] + region["brows"]) - 0.5, 0.0, 1.0)
    hair = smoothstep(field, -0.003, 0.004) * allowed
    colours = _mix(colours, linear(look.hair) * _strands(rest, noise)[:, None], hair)
    gloss = gloss * (1 - hair) + 0.25 * hair
    height = look.hair_lift * HAIR_HEIGHT_M * smoothstep(edge, -0.002, 0.05) * allowed
    height *= 1.0 + 0.12 * noise(rest, 0.03)
    for part in (_beard, _brows, _eyes, _mouth, _shirt):
        part(rest, eyes, region, look, noise, colours, gloss)
    shirt = _below_collar(rest, region)
    return Paint(colours.clip(0.0, 1.0).astype(np.float32), gloss.astype(np.float32), height, hair, shirt)


def hairline(points: np.ndarray, eyes: list[np.ndarray]) -> np.ndarray:
    """Distance-like field [P] m of the mean rest face, positive in the hair: short hair with sideburns, free ears."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    brow = np.mean([eye[1] for eye in eyes]) + 0.022
    front = brow + 0.046 + 0.005 * smoothstep(x, 0.01, 0.035) - 0.014 * smoothstep(x, 0.035, 0.06)
    # From the forehead over the temple to the sideburn before the ear, behind it down to the nape.
    line = np.interp(
        z, [-0.09, -0.045, -0.02, 0.004, 0.018, 0.034, 0.06], [-0.05, -0.045, 0.0, 0.025, -0.002, 0.04, 0.07]
    )
    return y - np.where(z > 0.06, front, np.minimum(line, front))


def _skin(
    rest: np.ndarray, eyes: list[np.ndarray], region: dict[str, np.ndarray], look: Look, noise: Noise
) -> tuple[np.ndarray, np.ndarray]:
    """Skin everywhere, redder on cheeks, nose, ears and lids, with blotches, pores and freckles; and its gloss."""
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    tone = np.tile(linear(look.skin), (len(rest), 1))
    blotch = 0.07 * noise(rest, 0.03) + 0.06 * noise(rest, 0.011) + 0.07 * noise(rest, 0.004)
    tone *= (1 + blotch)[:, None]
    cheek = np.exp(-(((x - 0.042) / 0.016) ** 2) - ((y + 0.012) / 0.016) ** 2) * (z > 0.03)
    nose = np.exp(-((x / 0.012) ** 2) - ((y + 0.004) / 0.012) ** 2) * (z > 0.08)
    flush = 0.6 * cheek + 0.5 * nose + 0.5 * region["ears"] + 0.35 * region["eyelids"]
    tone *= 1 - flush[:, None] * np.array([0.02, 0.22, 0.20])
    sprinkle = np.exp(-((x / 0.055) ** 2) - ((y + 0.004) / 0.022) ** 2) * (z > 0.04)
    freckle = smoothstep(noise(rest, 0.0032), 0.45, 0.75) * sprinkle
    tone *= 1 - look.freckles * freckle[:, None] * np.array([0.28, 0.40, 0.45])
    mole = np.exp(-(((rest - np.array([0.031, -0.028, 0.086])) / 0.0022) ** 2).sum(1))
    tone *= 1 - 0.75 * mole[:, None]
    # Sockets and the neck under the jaw get less light.
    socket = sum(np.exp(-(((rest - eye) / np.array([0.02, 0.012, 0.03])) ** 2).sum(1)) for eye in eyes)
    shade = 1 - 0.25 * socket - 0.35 * smoothstep(-y, 0.075, 0.11) * smoothstep(z, -0.03, 0.02)
    tone *= shade[:, None]
    corner = np.exp(-((x - 0.0235) ** 2 + (y + 0.0465) ** 2) / 0.0035**2) * (z > 0.07)
    tone *= 1 - 0.5 * corner[:, None]
    lips = region["lips"]
    lined = 1 + 0.10 * noise(rest, (0.0016, 0.02, 0.02))
    tone = _mix(tone, linear(look.lips) * lined[:, None], lips)
    return tone, (0.10 + 0.05 * nose + 0.30 * lips) * (1 - 0.9 * corner)


def lip_red(rest: np.ndarray, landmarks: np.ndarray, region: dict[str, np.ndarray]) -> np.ndarray:
    """Share [V] of the lips' red at the points `rest` [V, 3] m: inside the smooth closed curve through the outer lips of the
    `landmarks` [478, 3] m, where the face mesh looks for their edge (that of the mesh's own triangles is ragged)."""
    corners = landmarks[list(LIP_OUTLINE)]
    closed = np.concatenate([corners, corners[:1]])[:, :2]
    curve = CubicSpline(np.arange(len(closed)), closed, bc_type="periodic")(np.linspace(0, len(corners), 200))
    front = (rest[:, 2] > corners[:, 2].min() - LIP_EDGE_M) & (region["lips"] + region["skin"] > 0.5)
    # In mm: the distance is found in single precision.
    polygon = (1000 * curve).astype(np.float32)
    inside = [cv2.pointPolygonTest(polygon, (float(x), float(y)), True) for x, y in 1000 * rest[front, :2]]
    share = np.zeros(len(rest))
    share[front] = smoothstep(np.array(inside) / 1000, -LIP_EDGE_M, LIP_EDGE_M)
    return share


def _strands(rest: np.ndarray, noise: Noise) -> np.ndarray:
    """Brightness [V] of hair combed from the crown: fine across, long along."""
    away = rest - np.array([0.005, 0.09, -0.035])
    angle = np.arctan2(away[:, 0], away[:, 2]) + 0.15 * noise(rest, 0.03)
    length = np.linalg.norm(away, axis=1)
    coarse = noise(np.stack([np.cos(angle), np.sin(angle), length], 1), (0.09, 0.09, 0.09))
    fine = noise(np.stack([np.cos(angle), np.sin(angle), length], 1), (0.03, 0.03, 0.05))
    return 1.1 + 0.5 * coarse + 0.5 * fine


def _beard(
    rest: np.ndarray, eyes: list[np.ndarray], region: dict[str, np.ndarray], look: Look, noise: Noise,
    colours: np.ndarray, gloss: np.ndarray,
) -> None:  # fmt: skip
    """Stubble to beard: cheeks below the mouth's height, jaw, chin and upper lip; lips stay free."""
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    cheek = smoothstep(-y, 0.034 - 0.35 * np.clip(x - 0.02, 0.0, 0.06), 0.050) * smoothstep(z, -0.005, 0.02)
    upper_lip = np.exp(-((x / 0.020) ** 2) - ((y + 0.032) / 0.006) ** 2) * (z > 0.06)
    under = 1 - smoothstep(-y, 0.100, 0.125)
    area = np.clip(cheek * under + 0.9 * upper_lip, 0.0, 1.0) * np.clip(region["skin"] + region["neck"], 0.0, 1.0)
    hairs = np.clip(0.8 + 0.25 * noise(rest, (0.002, 0.004, 0.004)), 0.0, 1.0)
    share = look.beard * area * hairs * (1 - region["lips"])
    colours[:] = _mix(colours, 0.9 * linear(look.hair), share)


def _brows(
    rest: np.ndarray, eyes: list[np.ndarray], region: dict[str, np.ndarray], look: Look, noise: Noise,
    colours: np.ndarray, gloss: np.ndarray,
) -> None:  # fmt: skip
    shifts = np.array([(i, j, 0) for i in (-1, 0, 1) for j in (-1, 0, 1)]) * 0.0014
    soft = np.mean([brow_arc(rest + shift, eyes) for shift in shifts], 0)
    skin = np.clip(region["skin"] + region["brows"] + region["eyelids"], 0.0, 1.0)
    hairs = 0.8 + 0.35 * noise(rest, (0.0018, 0.006, 0.02))
    share = np.clip(soft * hairs, 0.0, 1.0) * skin * 0.92 * look.brows
    colours[:] = _mix(colours, 0.8 * linear(look.hair), share)


def _eyes(
    rest: np.ndarray, eyes: list[np.ndarray], region: dict[str, np.ndarray], look: Look, noise: Noise,
    colours: np.ndarray, gloss: np.ndarray,
) -> None:  # fmt: skip
    ball = region["eyeballs"] > 0.5
    for eye in eyes:
        ray = rest - eye
        distance = np.linalg.norm(ray, axis=1)
        angle = np.arccos(np.clip(ray[:, 2] / np.maximum(distance, 1e-9), -1, 1))
        mine = ball & (distance < 0.022)
        white = np.array([0.75, 0.70, 0.68]) * (1 - 0.25 * smoothstep(angle, 0.5, 0.9))[:, None]
        spokes = 1 + 0.4 * noise(np.stack([np.arctan2(ray[:, 1], ray[:, 0]), angle, angle], 1), (0.15, 2.0, 2.0))
        iris = linear(look.iris) * (spokes * (1.3 - 1.2 * smoothstep(angle, IRIS, RIM)))[:, None]
        colour = _mix(white, iris, 1 - smoothstep(angle, IRIS, RIM))
        colour = _mix(colour, np.array([0.004, 0.004, 0.005]), 1 - smoothstep(angle, PUPIL, PUPIL + 0.06))
        colours[mine], gloss[mine] = colour[mine], 1.0
        # Lashes as a dark line where the upper lid meets the ball.
        rim = smoothstep(-distance, -0.0174, -0.0162) * (region["eyeballs"] < 0.1) * (ray[:, 2] > 0.0)
        upper = smoothstep(ray[:, 1], -0.001, 0.002)
        colours[:] = _mix(colours, 0.25 * linear(look.hair), rim * (0.25 + 0.6 * upper))


def _mouth(
    rest: np.ndarray, eyes: list[np.ndarray], region: dict[str, np.ndarray], look: Look, noise: Noise,
    colours: np.ndarray, gloss: np.ndarray,
) -> None:  # fmt: skip
    """Teeth, tongue and gums, darker the deeper in the mouth."""
    depth = smoothstep(rest[:, 2], 0.055, 0.095)
    inside = {
        "mouth_interior": ((0.20, 0.07, 0.07), 0.15), "teeth": ((0.88, 0.85, 0.78), 0.5),
        "tongue": ((0.62, 0.30, 0.30), 0.3),
    }  # fmt: skip
    for name, (colour, shine) in inside.items():
        mask = region[name] > 0.5
        lit = (0.12 + 0.75 * depth[mask]) * (1 - 0.85 * smoothstep(np.abs(rest[mask, 0]), 0.010, 0.024))
        # The lower lip keeps light from the lower teeth.
        lit *= look.lower_teeth + (1 - look.lower_teeth) * smoothstep(rest[mask, 1], -0.052, -0.044)
        lit *= look.mouth_light
        colours[mask] = linear(colour) * lit[:, None]
        gloss[mask] = shine * lit


def _shirt(
    rest: np.ndarray, eyes: list[np.ndarray], region: dict[str, np.ndarray], look: Look, noise: Noise,
    colours: np.ndarray, gloss: np.ndarray,
) -> None:  # fmt: skip
    """Cloth below a round collar that stands higher at the back."""
    collar, share = _collar(rest), _below_collar(rest, region)
    seam = 1 - 0.35 * np.exp(-(((collar - rest[:, 1] - 0.007) / 0.0015) ** 2))
    colours[:] = _mix(colours, linear(look.shirt) * (weave(rest, noise) * seam)[:, None], share)
    gloss *= 1 - share


def _collar(rest: np.ndarray) -> np.ndarray:
    """Height [V] m of the collar there."""
    return -0.128 + 0.040 * smoothstep(-rest[:, 2], -0.02, 0.07) + 0.012 * smoothstep(np.abs(rest[:, 0]), 0.02, 0.07)


def _below_collar(rest: np.ndarray, region: dict[str, np.ndarray]) -> np.ndarray:
    """Share [V] of cloth."""
    return smoothstep(_collar(rest) - rest[:, 1], 0.0, 0.0015) * (region["neck"] + region["skin"] > 0.5)


def weave(points: np.ndarray, noise: Noise) -> np.ndarray:
    """Brightness [P] of knitted cloth."""
    return 1 + 0.10 * noise(points, 0.02) + 0.12 * noise(points, 0.004)


def _mix(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Blend colours [V, 3] by `share` [V]."""
    return a + (b - a) * np.asarray(share)[:, None]
