"""Plain face colours for pictures of the head model, real enough for a face detector."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import zoom

from emotag.head.arkit import ArkitHead
from emotag.head.makehuman_regions import brow_arc
from emotag.render.mesh import MeshFrame, interpolate

# Half angles in rad of pupil and iris seen from the eyeball's centre (an iris of 5.9 mm radius on a ball of 15 mm).
PUPIL, IRIS = 0.15, 0.40


@dataclass(frozen=True)
class Palette:
    """Colours [3], 0 to 1."""

    skin: np.ndarray
    lips: np.ndarray
    hair: np.ndarray
    iris: np.ndarray


def random_palette(random: np.random.Generator) -> Palette:
    """Colours of a random person."""
    tone = random.random()
    skin = (1 - tone) * np.array([0.93, 0.76, 0.67]) + tone * np.array([0.42, 0.27, 0.20])
    lips = skin * np.array([0.85, 0.55, 0.58])
    hair = random.uniform(0.1, 0.45) * np.array([1.0, 0.75, 0.55])
    iris = random.uniform([0.15, 0.15, 0.1], [0.4, 0.4, 0.5])
    return Palette(skin, lips, hair, iris)


def random_background(random: np.random.Generator, size: int) -> np.ndarray:
    """Smooth random colours [size, size, 3]."""
    coarse = random.uniform(0.1, 0.9, 3) + random.normal(0, 0.12, (5, 5, 3))
    return zoom(coarse, (size / 5, size / 5, 1), order=1).clip(0, 1).astype(np.float32)


def surface_colours(frame: MeshFrame, head: ArkitHead, palette: Palette) -> np.ndarray:
    """Unlit colours [H, W, 3] of a drawn head, painted by region, brow arc and iris (per pixel, not per triangle)."""
    regions = {name: mask.numpy() for name, mask in head.face_regions.items()}
    base = np.tile(palette.skin, (len(head.faces), 1))
    paints = {
        "lips": palette.lips,
        "scalp": palette.hair,
        "mouth_interior": np.array([0.25, 0.07, 0.07]),
        "teeth": np.array([0.9, 0.88, 0.82]),
        "tongue": np.array([0.65, 0.3, 0.3]),
        "eyeballs": np.array([0.92, 0.91, 0.9]),
        "lashes": 0.3 * palette.hair,
    }
    for name, colour in paints.items():
        base[regions[name]] = colour
    colours = np.zeros((*frame.face_index.shape, 3), np.float32)
    colours[frame.covered] = base[frame.face_index[frame.covered]]
    neutral = head.neutral.numpy()
    rest = interpolate(frame, head.faces.numpy(), neutral)
    eyes = [neutral[index.numpy()] for index in head.eyeballs]
    skin = frame.covered & (regions["skin"] | regions["brows"] | regions["eyelids"])[frame.face_index]
    colours[skin & brow_arc(rest.reshape(-1, 3), [eye.mean(0) for eye in eyes]).reshape(skin.shape)] = (
        0.8 * palette.hair
    )
    balls = frame.covered & regions["eyeballs"][frame.face_index]
    for eye in eyes:
        ray = rest - eye.mean(0)
        length = np.linalg.norm(ray, axis=-1)
        near = balls & (length < 1.2 * np.linalg.norm(eye - eye.mean(0), axis=-1).max())
        angle = np.arccos(np.clip(ray[..., 2] / np.maximum(length, 1e-9), -1, 1))
        colours[near & (angle < IRIS)] = palette.iris
        colours[near & (angle < PUPIL)] = 0.03
    return colours
