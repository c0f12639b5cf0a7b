"""The shape alphabet of every docstring and signature in this package.

B batch, T frames at 25 fps, K speech tokens at 50 Hz, N Gaussians, V vertices, F faces, E expression units, S shape
components, D feature channels, L landmarks (478), H and W pixels.

Units: metres, radians, seconds, pixels; colours 0 to 1; x to the right, y up, the camera at the origin looking down -z.
Pixel coordinates have their origin in the upper left corner of the upper left pixel, y down.
"""

FPS = 25
SAMPLE_RATE_HZ = 16_000
TOKEN_RATE_HZ = 50
LANDMARKS = 478

# DeepFace's native order, also the order of every emotion vector here.
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
NEUTRAL = EMOTIONS.index("neutral")

# The motion network's upper-face cues (EmoTaG's and InsTaG's six).
UPPER_FACE_AUS = ("AU01", "AU04", "AU05", "AU06", "AU07", "AU45")
