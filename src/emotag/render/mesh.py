"""Triangle meshes to pixels: a z-buffer rasteriser on the CPU, interpolation over its result, and simple shading.

Source: the edge-function rasteriser (Pineda, "A parallel algorithm for polygon rasterization", SIGGRAPH 1988) with
perspective-correct interpolation (1/depth is linear on the screen). Camera frame: metres, looking down -z.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from emotag.geometry.camera import Camera

NEAR = 1e-3
# Where light comes from, in the camera's frame: above, a little to the side, from the viewer.
LIGHT = (0.3, 0.5, 0.8)


@dataclass(frozen=True)
class MeshFrame:
    """`face_index` [H, W] int32 (-1 where empty), `barycentric` [H, W, 3] float32 on the surface (perspective-correct),
    `depth` [H, W] float32 m along the viewing direction (0 where empty).
    """

    face_index: np.ndarray
    barycentric: np.ndarray
    depth: np.ndarray

    @property
    def covered(self) -> np.ndarray:
        """[H, W] bool."""
        return self.face_index >= 0


def rasterise(vertices: np.ndarray, faces: np.ndarray, camera: Camera) -> MeshFrame:
    """Visible face of every pixel centre; the nearest wins, both sides of a face are drawn.

    Args: `vertices` [V, 3] m in the camera's frame, `faces` [F, 3]. Faces that reach behind the near plane (1 mm) are
    left out whole; a head is never there.
    """
    vertices = np.asarray(vertices, np.float64)
    depth = -vertices[:, 2]
    safe = np.where(depth > NEAR, depth, np.inf)
    screen = np.empty((len(vertices), 3))
    screen[:, 0] = camera.cx + camera.fx * vertices[:, 0] / safe
    screen[:, 1] = camera.cy - camera.fy * vertices[:, 1] / safe
    screen[:, 2] = 1.0 / safe
    index = np.full((camera.height, camera.width), -1, np.int32)
    nearness = np.zeros((camera.height, camera.width), np.float64)
    barycentric = np.zeros((camera.height, camera.width, 3), np.float32)
    faces = np.asarray(faces, np.int64)
    _fill(screen, faces, index, nearness)
    _weigh(screen, faces, index, barycentric)
    with np.errstate(divide="ignore"):
        distance = np.where(index >= 0, 1.0 / nearness, 0.0)
    return MeshFrame(index, barycentric, distance.astype(np.float32))


@njit(cache=True, nogil=True)
def _fill(screen, faces, index, nearness):
    height, width = index.shape
    for f in range(len(faces)):
        a, b, c = screen[faces[f, 0]], screen[faces[f, 1]], screen[faces[f, 2]]
        if a[2] == 0.0 or b[2] == 0.0 or c[2] == 0.0:
            continue
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area == 0.0:
            continue
        u_step, v_step = (b[1] - c[1]) / area, (c[1] - a[1]) / area
        left = max(0, int(np.ceil(min(a[0], b[0], c[0]) - 0.5)))
        right = min(width - 1, int(np.floor(max(a[0], b[0], c[0]) - 0.5)))
        top = max(0, int(np.ceil(min(a[1], b[1], c[1]) - 0.5)))
        bottom = min(height - 1, int(np.floor(max(a[1], b[1], c[1]) - 0.5)))
        for row in range(top, bottom + 1):
            y = row + 0.5
            u_row = (b[0] * c[1] - b[1] * c[0] + (c[0] - b[0]) * y) / area
            v_row = (c[0] * a[1] - c[1] * a[0] + (a[0] - c[0]) * y) / area
            for column in range(left, right + 1):
                x = column + 0.5
                u = u_row + u_step * x
                v = v_row + v_step * x
                w = 1.0 - u - v
                if u < 0.0 or v < 0.0 or w < 0.0:
                    continue
                inverse = u * a[2] + v * b[2] + w * c[2]
                if inverse > nearness[row, column]:
                    nearness[row, column] = inverse
                    index[row, column] = f


@njit(cache=True, nogil=True)
def _weigh(screen, faces, index, barycentric):
    """Perspective-correct weights of the faces that won."""
    height, width = index.shape
    for row in range(height):
        for column in range(width):
            f = index[row, column]
            if f < 0:
                continue
            a, b, c = screen[faces[f, 0]], screen[faces[f, 1]], screen[faces[f, 2]]
            x, y = column + 0.5, row + 0.5
            u = abs((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) * a[2]
            v = abs((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) * b[2]
            w = abs((a[0] - x) * (b[1] - y) - (a[1] - y) * (b[0] - x)) * c[2]
            total = u + v + w
            barycentric[row, column, 0] = u / total
            barycentric[row, column, 1] = v / total
            barycentric[row, column, 2] = w / total


def interpolate(frame: MeshFrame, faces: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values [V, D] at the vertices to [H, W, D] float32 at the pixels, 0 where empty."""
    picture = np.zeros((*frame.face_index.shape, values.shape[1]), np.float32)
    _blend(frame.face_index, frame.barycentric, np.asarray(faces, np.int64), np.asarray(values, np.float32), picture)
    return picture


@njit(cache=True, nogil=True)
def _blend(index, barycentric, faces, values, picture):
    height, width, channels = picture.shape
    for row in range(height):
        for column in range(width):
            f = index[row, column]
            if f < 0:
                continue
            u, v, w = barycentric[row, column]
            a, b, c = faces[f]
            for d in range(channels):
                picture[row, column, d] = u * values[a, d] + v * values[b, d] + w * values[c, d]


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals [V, 3], area-weighted over the faces (counter-clockwise from outside); 0 for a loose vertex."""
    vertices = np.asarray(vertices, np.float64)
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    corners = np.asarray(faces).ravel()
    total = np.stack([np.bincount(corners, np.repeat(normal[:, axis], 3), len(vertices)) for axis in range(3)], axis=1)
    return (total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20)).astype(np.float32)


def normals(frame: MeshFrame, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Smooth unit normals [H, W, 3] in the camera's frame, turned to the viewer's side; 0 where empty."""
    smooth = interpolate(frame, faces, vertex_normals(vertices, faces))
    _face_viewer(smooth)
    return smooth


@njit(cache=True, nogil=True)
def _face_viewer(normal):
    height, width, _ = normal.shape
    for row in range(height):
        for column in range(width):
            x, y, z = normal[row, column]
            length = np.sqrt(x * x + y * y + z * z)
            if length > 0.0:
                normal[row, column] /= -length if z < 0.0 else length


def shade(
    frame: MeshFrame,
    vertices: np.ndarray,
    faces: np.ndarray,
    colours: np.ndarray,
    *,
    light: tuple[float, float, float] = LIGHT,
    ambient: float = 0.45,
    background: np.ndarray | tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> np.ndarray:
    """Soft (half Lambert) light on colours a vertex [V, 3], a face [F, 3] or a pixel [H, W, 3], 0 to 1.

    Args: `light` direction towards the light in the camera's frame, `ambient` share of light from everywhere,
    `background` [3] or [H, W, 3]. Returns: [H, W, 3] float32, 0 to 1.
    """
    colours, covered = np.asarray(colours, np.float32), frame.covered
    picture = np.broadcast_to(np.asarray(background, np.float32), (*frame.face_index.shape, 3)).copy()
    if colours.ndim == 3:
        base = colours[covered]
    elif len(colours) == len(vertices):
        base = interpolate(frame, faces, colours)[covered]
    else:
        base = colours[frame.face_index[covered]]
    direction = (np.asarray(light) / np.linalg.norm(light)).astype(np.float32)
    cosine = normals(frame, vertices, faces)[covered] @ direction
    picture[covered] = (base * (ambient + (1 - ambient) * (0.5 + 0.5 * cosine) ** 2)[:, None]).clip(0, 1)
    return picture


def draw(
    vertices: np.ndarray,
    faces: np.ndarray,
    camera: Camera,
    colours: np.ndarray,
    *,
    supersampling: int = 1,
    light: tuple[float, float, float] = LIGHT,
    ambient: float = 0.45,
    background: np.ndarray | tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> tuple[np.ndarray, np.ndarray]:
    """Anti-aliased shaded picture [H, W, 3] and coverage [H, W], float32 0 to 1, with `supersampling`² samples.

    Args as in `shade`.
    """
    s = supersampling
    fine = camera.resized(camera.width * s, camera.height * s)
    frame = rasterise(vertices, faces, fine)
    behind = np.asarray(background, np.float32)
    if behind.ndim == 3:
        behind = behind.repeat(s, 0).repeat(s, 1)
    picture = shade(frame, vertices, faces, colours, light=light, ambient=ambient, background=behind)
    shape = (camera.height, s, camera.width, s)
    return picture.reshape(*shape, 3).mean((1, 3)), frame.covered.reshape(shape).mean((1, 3), dtype=np.float32)
