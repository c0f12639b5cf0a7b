"""Draws a talker: head with hair, shirt and shoulders before a soft backdrop, one picture a frame."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from emotag.artifacts import Tracks
from emotag.geometry.camera import Camera
from emotag.head.arkit import ArkitHead
from emotag.render.mesh import MeshFrame, rasterise, vertex_normals
from emotag.synthetic.appearance import Look, linear, paint, weave
from emotag.synthetic.lighting import STUDIO, Light, lit
from emotag.synthetic.long_hair import LongHair
from emotag.synthetic.occlusion import Cavity, openness
from emotag.synthetic.surface import Noise, lowest_loop, subdivide

LEVELS = 2
SUPERSAMPLING = 2
ORIGIN = np.zeros(3)
# The shirt's rings below the open edge of the neck: factor on x, half depth in m, how far down in m.
RINGS = ((1.06, 0.085, 0.012), (1.16, 0.105, 0.045), (1.24, 0.120, 0.10), (1.24, 0.130, 0.20), (1.2, 0.140, 0.45))


@dataclass(frozen=True)
class Drawing:
    """One supersampled view: what is seen (`frame` over the figure's `faces`) and `surface` [V, 7] (normal, linear colour,
    gloss) at its points [V, 3] m."""

    frame: MeshFrame
    points: np.ndarray
    surface: np.ndarray


class Figure:
    """The talker of one shape and look, ready to be drawn in any pose."""

    def __init__(
        self, head: ArkitHead, shape: np.ndarray, look: Look, seed: int, light: Light = STUDIO, levels: int = LEVELS
    ) -> None:
        self.light = light
        self.coarse = head.faces[~head.face_regions["lashes"]].numpy()
        self.division = subdivide(self.coarse, head.vertex_count, levels)
        self.paint = paint(head, self.division, look, seed)
        self.edge = lowest_loop(self.coarse, head.neutral[:, 1].numpy())
        self.edge_faces = _strip_faces(len(self.edge), len(RINGS) + 1)
        self.body = subdivide(self.edge_faces, len(self.edge) * (len(RINGS) + 1), LEVELS)
        person = (head.neutral + (torch.from_numpy(shape) @ head.shape_basis).reshape(-1, 3)).double().numpy()
        self.rest_edge = person[self.edge]
        self.cavity = Cavity(head, self.division)
        rings = self.body(self._rings(self.rest_edge, np.zeros(3)))
        self.cloth = linear(look.shirt) * weave(rings, Noise(seed))[:, None]
        parts = [self.division.faces, self.body.faces + len(self.paint.colours)]
        self.hair = None
        if look.hair_length > 0:
            self.hair = LongHair(self._with_hair(person), self.paint.hair > 0.5, look, seed)
            parts.append(self.hair.faces + len(self.paint.colours) + len(rings))
        self.part_sizes = [len(part) for part in parts]
        self.faces = np.concatenate(parts)

    def view(
        self, vertices: np.ndarray, stand: np.ndarray, turn: np.ndarray, place: np.ndarray, camera: Camera
    ) -> Drawing:
        """What `camera` sees of posed head `vertices` [V, 3] m; the body stands at `stand` [3] m (its head's origin at
        rest); `turn` [3] rad and `place` [3] m: the head's pose, which long hair follows."""
        fine = camera.resized(camera.width * SUPERSAMPLING, camera.height * SUPERSAMPLING)
        points, surface = self._scene(vertices, stand, turn, place)
        return Drawing(rasterise(points, self.faces, fine), points, surface)

    def light_up(self, drawing: Drawing, camera: Camera, backdrop: np.ndarray) -> np.ndarray:
        """Linear light [H, W, 3] float32 of a view before `backdrop` [sH, sW, 3], s = `SUPERSAMPLING`."""
        fine = camera.resized(camera.width * SUPERSAMPLING, camera.height * SUPERSAMPLING)
        normals = drawing.surface[:, :3]
        reached = openness(drawing.frame, self.faces, drawing.points, normals, fine, SUPERSAMPLING)
        picture = lit(drawing.frame, self.faces, drawing.points, drawing.surface, backdrop, self.light, reached)
        return cv2.resize(picture, (camera.width, camera.height), interpolation=cv2.INTER_AREA)

    def draw(
        self,
        vertices: np.ndarray,
        stand: np.ndarray,
        camera: Camera,
        backdrop: np.ndarray,
        turn: np.ndarray = ORIGIN,
        place: np.ndarray = ORIGIN,
    ) -> np.ndarray:
        """Picture [H, W, 3] uint8, arguments as in `view` and `light_up`."""
        return developed(self.light_up(self.view(vertices, stand, turn, place, camera), camera, backdrop))

    def _with_hair(self, vertices: np.ndarray) -> np.ndarray:
        """Fine points [V', 3] of the head, hair standing off the scalp."""
        return self.division(vertices) + self.paint.hair_height[:, None] * self._normals(vertices)

    def _normals(self, vertices: np.ndarray) -> np.ndarray:
        normal = self.division(vertex_normals(vertices, self.coarse))
        return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)

    def _scene(
        self, vertices: np.ndarray, stand: np.ndarray, turn: np.ndarray, place: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Points [V, 3] of head, body and long hair, and normal, linear colour and gloss [V, 7] there."""
        normal = self._normals(vertices)
        skin = self.division(vertices) + self.paint.hair_height[:, None] * normal
        rings = self._rings(vertices[self.edge], stand)
        cloth_normal = self.body(vertex_normals(rings, self.edge_faces))
        shirt = np.concatenate([cloth_normal, self.cloth, np.zeros((len(self.cloth), 1))], 1)
        reached = self.cavity(vertices)[:, None]
        person = np.concatenate([normal, reached * self.paint.colours, reached * self.paint.gloss[:, None]], 1)
        points, surface = [skin, self.body(rings)], [person, shirt]
        if self.hair is not None:
            hanging = self.hair.points @ cv2.Rodrigues(np.asarray(turn, np.float64))[0].T + place
            hair_normal = vertex_normals(hanging, self.hair.faces)
            points.append(hanging)
            surface.append(np.concatenate([hair_normal, self.hair.colours, np.full((len(hanging), 1), 0.2)], 1))
        return np.concatenate(points), np.concatenate(surface).astype(np.float32)

    def _rings(self, edge: np.ndarray, stand: np.ndarray) -> np.ndarray:
        """Body vertices: the neck's open edge [L, 3] as posed, then rings that stand still."""
        rest = self.rest_edge
        angle = np.arctan2(rest[:, 2] + 0.03, rest[:, 0])
        rings = [edge]
        for wide, deep, down in RINGS:
            ring = rest.copy()
            ring[:, 0] *= wide
            ring[:, 1] = rest[:, 1] * (1 - min(1.0, 6 * down)) + min(1.0, 6 * down) * rest[:, 1].min() - down
            flat = min(1.0, 12 * down)
            ring[:, 2] = rest[:, 2] * (1 - flat) + flat * (deep * np.sin(angle) - 0.02)
            rings.append(ring + stand)
        return np.concatenate(rings)


def frames(head: ArkitHead, tracks: Tracks, look: Look, seed: int) -> Iterator[np.ndarray]:
    """Pictures [H, W, 3] uint8 of all frames of `tracks`, seen by its camera."""
    camera = Camera.from_dict(tracks.camera)
    figure = Figure(head, tracks.shape, look, seed)
    behind = backdrop(camera, look, seed)
    for drawing in views(head, figure, tracks):
        yield developed(figure.light_up(drawing, camera, behind))


def views(head: ArkitHead, figure: Figure, tracks: Tracks) -> Iterator[Drawing]:
    """What the camera of `tracks` sees of the figure in every frame."""
    camera = Camera.from_dict(tracks.camera)
    middle = tracks.translation.mean(0)
    shape = torch.from_numpy(tracks.shape)[None]
    for index in range(len(tracks.expression)):
        pose = [
            torch.from_numpy(getattr(tracks, name)[index : index + 1])
            for name in ("expression", "jaw", "neck", "eyes", "rotation", "translation")
        ]
        vertices = head.vertices(shape, *pose)[0].numpy()
        # Shoulders take half of the head's sway.
        stand = middle + 0.5 * (tracks.translation[index] - middle)
        yield figure.view(vertices, stand, tracks.rotation[index], tracks.translation[index], camera)


def developed(light: np.ndarray) -> np.ndarray:
    """Linear light to uint8 at gamma 2.2."""
    return np.round(255 * light.clip(0.0, 1.0) ** (1 / 2.2)).astype(np.uint8)


def backdrop(camera: Camera, look: Look, seed: int) -> np.ndarray:
    """A wall out of focus with soft patches and a vignette: linear light, at the supersampled size."""
    height, width = camera.height * SUPERSAMPLING, camera.width * SUPERSAMPLING
    random = np.random.default_rng([seed, 4])
    y, x = np.mgrid[0:height, 0:width]
    x, y = x / width - 0.5, y / height - 0.5
    patches = np.zeros((height // 8, width // 8))
    for _ in range(14):
        top, left = random.integers(0, height // 8), random.integers(0, width // 8)
        patches[top : top + random.integers(8, 40), left : left + random.integers(5, 25)] += random.uniform(-1, 1)
    soft = gaussian_filter(patches, 4.0).repeat(8, 0).repeat(8, 1)
    soft = gaussian_filter(soft, 8.0)
    light = (1.05 - 0.5 * y + 0.25 * x) * (1 - 0.5 * (x**2 + y**2)) + 0.10 * soft
    return (linear(look.backdrop) * light[..., None]).clip(0.0, 1.0).astype(np.float32)


def _strip_faces(count: int, rings: int) -> np.ndarray:
    """Triangles between `rings` closed rings of `count` vertices."""
    here = np.arange(count)
    following = (here + 1) % count
    faces = []
    for ring in range(rings - 1):
        top, low = ring * count, (ring + 1) * count
        faces.append(np.stack([top + here, low + here, top + following], 1))
        faces.append(np.stack([top + following, low + here, low + following], 1))
    return np.concatenate(faces)
