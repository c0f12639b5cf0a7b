"""Light to what a camera stores: lens blur, exposure and white balance, shot and read noise, gamma, eight bits."""

import cv2
import numpy as np

from emotag.synthetic.casting import Sensor


def exposed(light: np.ndarray, sensor: Sensor, random: np.random.Generator) -> np.ndarray:
    """Picture [H, W, 3] uint8 of linear light [H, W, 3] float32.

    The variance of the noise is read² + shot² L: electrons are counted, so it grows with the light L.
    """
    seen = cv2.GaussianBlur(light, (0, 0), sensor.blur_px) if sensor.blur_px > 0.1 else light
    seen = seen * sensor.gain.astype(np.float32)
    spread = np.sqrt(np.float32(sensor.read**2) + np.float32(sensor.shot**2) * seen)
    seen = np.clip(seen + spread * random.standard_normal(seen.shape, np.float32), 0.0, 1.0)
    # One table in place of a power a pixel: 4096 steps are finer than eight bits at gamma 2.2.
    return TONE[np.round(seen * (len(TONE) - 1)).astype(np.uint16)]


TONE = np.round(255 * np.linspace(0, 1, 4096) ** (1 / 2.2)).astype(np.uint8)
