"""ARKit's jaw and gaze units as channels in rad."""

import numpy as np

# Those that become channels: the jaw's by name, the gaze's by how their names begin.
JOINT_UNITS = ("jawOpen", "jawLeft", "jawRight")
LOOK = "eyeLook"


def jaw_channels(mean: np.ndarray, units: dict[str, np.ndarray], teeth: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """Displacement per rad [2, V, 3] of jaw pitch (jawOpen) and yaw (odd part of jawLeft), and their angles.

    Pitch is the angle by which jawOpen turns the lower teeth. The yaw units only shift them, so their angle is that
    shift over the teeth's distance from the line between the ears (about the jaw joints).
    """
    pitch = rotation_angle(mean[teeth], mean[teeth] + units["jawOpen"][teeth])
    sideways = (units["jawLeft"] - units["jawRight"]) / 2
    yaw = float(np.arctan2(sideways[teeth, 0].mean(), np.linalg.norm(mean[teeth][:, 1:].mean(0))))
    return np.stack([units["jawOpen"] / pitch, sideways / yaw]), [pitch, yaw]


def rotation_angle(before: np.ndarray, after: np.ndarray) -> float:
    """Angle in rad of the best rotation between two sets of points [N, 3] (Kabsch 1976)."""
    before, after = before - before.mean(0), after - after.mean(0)
    left, _, right = np.linalg.svd(before.T @ after)
    rotation = left @ np.diag([1, 1, np.sign(np.linalg.det(left @ right))]) @ right
    return float(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))
