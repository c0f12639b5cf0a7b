"""Speech features made elsewhere (DeepSpeech, AVE, …), given as one `.npy` a recording.

Three layouts, told apart by shape and by the recording's length:
- [K, D] at 50 Hz, as the encoders write them;
- [F, D] at 25 Hz, one a video frame (AVE's 512 channels): tokens between frames are the mean of both;
- [F, 16, D], a window a frame (AD-NeRF's DeepSpeech [F, 16, 29], EmoTaG's aud_w2v [F, 16, 768]): window t holds the
  50 Hz tokens 2t - 8 to 2t + 7, so tokens 2t and 2t + 1 are its entries 8 and 9. Windows that do not overlap so are refused.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotag.audio.windows import WINDOW, frame_windows
from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.types import FPS, SAMPLE_RATE_HZ, TOKEN_RATE_HZ

# Extractors drop or pad up to this much at the ends.
TOLERANCE_S = 0.2


@dataclass(frozen=True)
class GivenFeatures:
    """A folder with a file a recording, or the file of one recording."""

    path: Path

    def features(self, samples: np.ndarray, name: str) -> np.ndarray:
        """[K, D] float32 at 50 Hz of the recording `name`, of which `samples` at 16 kHz only tell the length.

        Raises:
            AssetMissing, ArtifactMismatch: there is no such file, or it does not fit the recording.
        """
        path = self.path / f"{name}.npy" if Path(self.path).is_dir() else Path(self.path)
        if not path.is_file():
            raise AssetMissing(f"{path} does not exist; write the features of {name} there, at 50 or 25 Hz")
        return tokens(_read(path), len(samples) / SAMPLE_RATE_HZ, path)


def _read(path: Path) -> np.ndarray:
    try:
        array = np.load(path, allow_pickle=False)
    except ValueError as error:
        raise ArtifactMismatch(f"{path}: is no array ({error}); save it with numpy.save") from error
    if array.dtype.kind != "f" or array.ndim not in (2, 3) or not len(array) or not np.isfinite(array).all():
        raise ArtifactMismatch(
            f"{path}: found {array.dtype} {list(array.shape)}, expected finite numbers [K, D], [F, D] or [F, {WINDOW}, D]"
        )
    return array.astype(np.float32)


def tokens(array: np.ndarray, seconds: float, path: Path) -> np.ndarray:
    """[K, D] at 50 Hz from any of the three layouts, for a recording of so many `seconds`.

    Raises:
        ArtifactMismatch: no layout fits.
    """
    if array.ndim == 3:
        return _unwindowed(array, seconds, path)
    if abs(len(array) / TOKEN_RATE_HZ - seconds) <= TOLERANCE_S:
        return array
    if abs(len(array) / FPS - seconds) <= TOLERANCE_S:
        following = np.concatenate([array[1:], array[-1:]])
        return np.stack([array, (array + following) / 2], 1).reshape(-1, array.shape[1])
    raise ArtifactMismatch(
        f"{path}: {len(array)} rows for {seconds:.2f} s of sound, expected {seconds * TOKEN_RATE_HZ:.0f} (50 Hz) or "
        f"{seconds * FPS:.0f} (25 Hz); make the features of this very recording"
    )


def _unwindowed(windows: np.ndarray, seconds: float, path: Path) -> np.ndarray:
    """The 50 Hz tokens that overlapping windows [F, 16, D] were cut from."""
    if windows.shape[1] != WINDOW or abs(len(windows) / FPS - seconds) > TOLERANCE_S:
        raise ArtifactMismatch(
            f"{path}: found {list(windows.shape)} for {seconds:.2f} s, expected [{seconds * FPS:.0f}, {WINDOW}, D]"
        )
    middle = WINDOW // 2
    series = windows[:, middle : middle + 2].reshape(-1, windows.shape[2])
    # At the ends some tools repeat the edge and others put zeros.
    inner = slice(middle // 2, len(windows) - middle // 2)
    if not np.allclose(frame_windows(series, len(windows))[inner], windows[inner], rtol=1e-4, atol=1e-5):
        raise ArtifactMismatch(
            f"{path}: neighbouring windows are not two tokens apart; give the 50 Hz series [K, D] instead"
        )
    return series
