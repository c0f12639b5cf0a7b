"""First guess of the head's pose from landmarks with depth: rigid alignment (Kabsch 1976) and similar triangles."""

import numpy as np

from emotag.geometry.camera import Camera


def matrix_to_axis_angle(matrix: np.ndarray) -> np.ndarray:
    """Rotation matrices [T, 3, 3] to axis-angle [T, 3] rad, for angles below pi."""
    trace = np.clip((np.trace(matrix, axis1=1, axis2=2) - 1) / 2, -1, 1)
    angle = np.arccos(trace)
    axis = np.stack(
        [
            matrix[:, 2, 1] - matrix[:, 1, 2],
            matrix[:, 0, 2] - matrix[:, 2, 0],
            matrix[:, 1, 0] - matrix[:, 0, 1],
        ],
        1,
    )
    sine = np.sin(angle)
    factor = np.where(sine > 1e-6, angle / np.maximum(2 * sine, 1e-12), 0.5)
    return axis * factor[:, None]


def initial_pose(points: np.ndarray, reference: np.ndarray, camera: Camera) -> np.ndarray:
    """Detected points [T, L, 3] px (z in px, smaller is nearer) against the rest pose's [L, 3] m: [T, 6], axis-angle
    rotation and translation in m, the head in front of the camera."""
    flipped = points.astype(np.float64) * np.array([1.0, -1.0, -1.0])
    centred = flipped - flipped.mean(1, keepdims=True)
    centre = reference.mean(0)
    model = reference - centre
    left, values, right = np.linalg.svd(np.einsum("tli,lj->tij", centred, model))
    sign = np.sign(np.linalg.det(left @ right))
    left[:, :, 2] *= sign[:, None]
    values[:, 2] *= sign
    rotation = left @ right
    px_per_m = values.sum(1) / (model**2).sum()
    depth = camera.fx / px_per_m
    middle = points[..., :2].mean(1)
    x = (middle[:, 0] - camera.cx) / camera.fx * depth
    y = (camera.cy - middle[:, 1]) / camera.fy * depth
    posed = np.stack([x, y, -depth], 1) - rotation @ centre
    return np.concatenate([matrix_to_axis_angle(rotation), posed], 1)
