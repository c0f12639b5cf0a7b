"""The folder that VHAP's `export_as_nerf_dataset.py` writes (Qian 2024, github.com/ShenhanQian/VHAP).

Its conventions, which GaussianAvatars (Qian et al. 2024, `scene/dataset_readers.py`) reads: `transforms.json` with `frames`,
each with `timestep_index`, `camera_index`, `transform_matrix` (camera to world, 4 x 4, the camera looks down -z with y up),
`fl_x`, `fl_y`, `cx`, `cy`, `w`, `h` in px (in the frame, or once for all), `file_path`, `fg_mask_path` (grey, 255 is the
person) and `flame_param_path`.
"""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.io.video import resize

INTRINSICS = ("fl_x", "fl_y", "cx", "cy", "w", "h")
PATHS = ("flame_param_path", "fg_mask_path")


def frames_of(transforms: Path) -> list[dict[str, Any]]:
    """The frames of an export of one camera by their time, each with the intrinsics that the file states for all.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there or not as VHAP writes it, times are missing, or there are several
            cameras.
    """
    if not Path(transforms).is_file():
        raise AssetMissing(
            f"{transforms} does not exist; export VHAP's tracking of the clip's crop.mp4 there (docs/providers.md)"
        )
    try:
        content = json.loads(Path(transforms).read_text(encoding="utf-8"))
        shared = {key: content[key] for key in INTRINSICS if key in content}
        frames = sorted((_checked(shared | frame) for frame in content["frames"]), key=lambda f: f["timestep_index"])
        if not frames:
            raise KeyError("frames")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArtifactMismatch(
            f"{transforms}: not as VHAP exports it ({error}); export its parameters, not meshes"
        ) from error
    times, cameras = [f["timestep_index"] for f in frames], {str(f.get("camera_index", 0)) for f in frames}
    if len(cameras) > 1:
        raise ArtifactMismatch(
            f"{transforms}: found cameras {sorted(cameras)}, expected one; export a monocular tracking"
        )
    if times != list(range(len(times))):
        raise ArtifactMismatch(
            f"{transforms}: found {len(times)} frames up to {times[-1]}, expected each time once from 0"
        )
    return frames


def _checked(frame: dict[str, Any]) -> dict[str, Any]:
    """A frame with numbers where numbers are due and with paths that stay in the folder."""
    if np.array(frame["transform_matrix"], np.float64).shape != (4, 4):
        raise KeyError("transform_matrix of 4 x 4")
    for key in PATHS[: 2 if "fg_mask_path" in frame else 1]:
        path = PurePosixPath(frame[key])
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{key} leaves the folder")
    numbers = {key: float(frame[key]) for key in INTRINSICS}
    return frame | numbers | {"timestep_index": int(frame["timestep_index"])}


def masks_of(transforms: Path, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Alpha [H, W] uint8 of every frame at `size` (width, height).

    Raises:
        AssetMissing, ArtifactMismatch: as `frames_of`, or a mask is not there or no picture.
    """
    for frame in frames_of(transforms):
        path = Path(transforms).parent / frame.get("fg_mask_path", "fg_masks")
        if not path.is_file():
            raise AssetMissing(f"{path} does not exist; export with masks, or set matte.provider to mediapipe")
        try:
            mask = np.asarray(Image.open(path).convert("L"))
        except (OSError, UnidentifiedImageError) as error:
            raise ArtifactMismatch(f"{path}: cannot be read ({error}); export the tracking again") from error
        yield resize(mask, *size) if mask.shape != size[::-1] else mask
