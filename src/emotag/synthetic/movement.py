"""What a talker does besides speaking: blinks, brows on stressed syllables, gaze, and head motion with beats.

All seeded. Angles in rad in the head model's sense: rotation about x > 0 nods down, eyes' pitch > 0 looks down.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from emotag.types import FPS, SAMPLE_RATE_HZ

# Share of closure in the frames of a blink: it closes twice as fast as it opens.
BLINK = np.array([0.35, 0.85, 1.0, 0.95, 0.65, 0.35, 0.12])
BEAT_GAP_S = 0.45
_FLOOR_DB = -50.0


def loudness(audio: np.ndarray, frames: int) -> np.ndarray:
    """Level [T] dB of 16 kHz `audio` around each frame at 25 fps, floored at 50 dB under the loudest."""
    window = SAMPLE_RATE_HZ // FPS
    padded = np.pad(audio, (window // 2, max(0, (frames + 1) * window - len(audio))))
    power = (padded[: frames * window].reshape(frames, window) ** 2).mean(1)
    level = 10 * np.log10(np.maximum(power, 1e-12))
    return np.maximum(level, level.max() + _FLOOR_DB)


def beats(level: np.ndarray) -> np.ndarray:
    """Frames of stressed syllables: peaks of the smoothed level, at least 0.45 s apart."""
    smooth = gaussian_filter1d(level, 2.0)
    peaks, _ = find_peaks(smooth, distance=round(BEAT_GAP_S * FPS), height=np.median(smooth))
    return peaks


def blinks(random: np.random.Generator, frames: int, interval_s: float = 3.2) -> np.ndarray:
    """Closure [T] 0 to 1 of both lids: seven-frame blinks every 2 to 5 s or so."""
    closure = np.zeros(frames + len(BLINK))
    clock = random.uniform(0.8, 2.0)
    while round(clock * FPS) < frames:
        first = round(clock * FPS)
        closure[first : first + len(BLINK)] = BLINK * random.uniform(0.92, 1.0)
        clock += float(np.clip(random.normal(interval_s, 0.9), 1.8, 5.5))
    return closure[:frames]


def bumps(moments: np.ndarray, heights: np.ndarray, frames: int, width_frames: float) -> np.ndarray:
    """Sum [T] of bell curves at `moments` [M] frames."""
    away = (np.arange(frames)[:, None] - np.asarray(moments)) / width_frames
    return np.exp(-0.5 * away**2) @ np.asarray(heights)


def wander(random: np.random.Generator, frames: int, channels: int, period_s: float) -> np.ndarray:
    """Smooth noise [T, channels] of unit deviation, its changes about `period_s` long."""
    pad = round(3 * period_s * FPS)
    noise = gaussian_filter1d(random.normal(size=(frames + 2 * pad, channels)), period_s * FPS / 4, axis=0)
    return noise[pad : pad + frames] * np.sqrt(period_s * FPS / 4 * 2 * np.sqrt(np.pi))


def brow_raises(random: np.random.Generator, stressed: np.ndarray, frames: int) -> np.ndarray:
    """Raise [T] 0 to about 0.5 of the brows on some of the `stressed` frames."""
    chosen = stressed[random.random(len(stressed)) < 0.3]
    return np.clip(bumps(chosen, random.uniform(0.15, 0.45, len(chosen)), frames, 4.5), 0.0, 0.6)


def head_motion(
    random: np.random.Generator, stressed: np.ndarray, frames: int, liveliness: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rotation [T, 3] axis-angle rad and displacement [T, 3] m: slow sway, and nods on stressed frames."""
    rotation = wander(random, frames, 3, 2.5) * np.radians([2.2, 3.5, 1.3])
    rotation += wander(random, frames, 3, 0.8) * np.radians([0.5, 0.6, 0.25])
    chosen = stressed[random.random(len(stressed)) < 0.6]
    rotation[:, 0] += bumps(chosen + 1, np.radians(random.uniform(0.8, 3.0, len(chosen))), frames, 3.5)
    sway = wander(random, frames, 3, 3.0) * np.array([0.004, 0.002, 0.004])
    # A turning head leans the way it looks.
    sway[:, 0] += 0.03 * rotation[:, 1]
    return liveliness * rotation, liveliness * sway


def gaze(random: np.random.Generator, frames: int, rotation: np.ndarray, interest: float) -> np.ndarray:
    """Turns [T, 6] of the eyes: fixations on and about the camera, held while the head moves."""
    target = np.zeros((frames, 2))
    first = 0
    while first < frames:
        stop = first + round(random.uniform(0.5, 2.4) * FPS)
        away = random.random() < 0.45
        target[first:stop] = random.normal(0.0, np.radians([3.0, 6.0]) * interest) if away else 0.0
        first = stop
    # A saccade takes two frames; the eyes make up for most of the head's turn.
    turn = gaussian_filter1d(target, 0.6, axis=0, mode="nearest") - 0.8 * rotation[:, :2]
    turn = np.clip(turn, np.radians([-14.0, -22.0]), np.radians([14.0, 22.0]))
    return np.concatenate([turn, np.zeros((frames, 1))] * 2, 1)
