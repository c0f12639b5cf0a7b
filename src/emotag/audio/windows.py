"""Speech at the video's times: windows of tokens sampled at fractional moments.

Token k of a 50 Hz series stands for the moment k/50 s. Video frame k of a clip whose video is late by `offset` frames
shows what is heard at (k - offset)/25 s.
"""

from collections.abc import Callable, Mapping

import numpy as np

from emotag.types import FPS, TOKEN_RATE_HZ

WINDOW = 16


def frame_times(frames: np.ndarray, offset_frames: float = 0.0) -> np.ndarray:
    """Moments [T] s on the audio clock of video `frames` [T]; `offset_frames` > 0: the video is late."""
    return (np.asarray(frames, np.float64) - offset_frames) / FPS


def sample(
    values: np.ndarray,
    times_s: np.ndarray,
    taps: int = 1,
    step_s: float = 1 / TOKEN_RATE_HZ,
    first: int = 0,
    total: int | None = None,
) -> np.ndarray:
    """Windows [T, taps, D] of 50 Hz `values` [K, D] around `times_s` [T], linearly interpolated, edges replicated.

    Tap j lies (j - (taps - 1)/2) * step_s from the middle: an odd number has one at the moment itself. `values` may be a
    part of a recording of `total` tokens that begins with token `first` and holds what `reach` names.
    """
    total = len(values) if total is None else total
    position = np.clip(_positions(times_s, taps, step_s), 0, total - 1)
    below = np.minimum(position.astype(np.int64), max(total - 2, 0))
    above = np.minimum(below + 1, total - 1)
    share = (position - below)[..., None].astype(values.dtype)
    return values[below - first] * (1 - share) + values[above - first] * share


def reach(times_s: np.ndarray, taps: int, step_s: float, total: int) -> slice:
    """The tokens of a recording of `total` that windows around `times_s` [T] are made of."""
    position = np.clip(_positions(times_s, taps, step_s), 0, total - 1)
    first = min(int(position.min()), max(total - 2, 0))
    return slice(first, min(int(position.max()) + 2, total))


def _positions(times_s: np.ndarray, taps: int, step_s: float) -> np.ndarray:
    """[T, taps] moments in tokens."""
    offsets = (np.arange(taps) - (taps - 1) / 2) * step_s
    return (np.asarray(times_s, np.float64)[:, None] + offsets) * TOKEN_RATE_HZ


def heard(times_s: np.ndarray, total: int) -> slice:
    """Tokens of a recording of `total` that hold every window around `times_s` [T], however they are cut."""
    return reach(times_s, WINDOW + 2, 1 / TOKEN_RATE_HZ, total)


def between_tokens(values: np.ndarray, times_s: np.ndarray, first: int = 0, total: int | None = None) -> np.ndarray:
    """Windows [T, 16, D] symmetric around `times_s` [T]: at a whole frame every entry is the mean of two tokens.
    `first` and `total` as in `sample`."""
    return sample(values, times_s, WINDOW, first=first, total=total)


def whole_tokens(values: np.ndarray, times_s: np.ndarray, first: int = 0, total: int | None = None) -> np.ndarray:
    """Windows [T, 16, D] as EmoTaG's and AD-NeRF's tools cut them: with k the token nearest to the moment (2t for frame t of
    a clip in sync), the tokens k - 8 to k + 7 themselves, edges repeated. An offset moves them by whole tokens of 20 ms.
    `first` and `total` as in `sample`."""
    total = len(values) if total is None else total
    # Halves go up, whatever the last bit of the moment says.
    nearest = np.floor(np.asarray(times_s, np.float64) * TOKEN_RATE_HZ + 0.5 + 1e-6).astype(np.int64)
    index = nearest[:, None] + np.arange(WINDOW) - WINDOW // 2
    return values[index.clip(0, total - 1) - first]


def frame_windows(tokens: np.ndarray, frames: int) -> np.ndarray:
    """[F, 16, D] of `whole_tokens` for the first `frames` of a clip in sync, as tools write them to files."""
    return whole_tokens(tokens, frame_times(np.arange(frames)))


# How the motion network's windows are cut, by the name of the setting.
WINDOWS: Mapping[str, Callable[..., np.ndarray]] = {
    "between": between_tokens,
    "tokens": whole_tokens,
}
