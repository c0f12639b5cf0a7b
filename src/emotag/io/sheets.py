"""Contact sheets and PNG files."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from emotag.io.artifact import write_atomic

_GAP_PX = 4
_BACKGROUND = (24, 24, 24)


def contact_sheet(frames: Sequence[np.ndarray], columns: int, labels: Sequence[str] | None = None) -> np.ndarray:
    """Lay frames [H, W, 3] uint8 out in rows of `columns`, each with its label in the upper left corner.

    All cells have the size of the largest frame.

    Raises:
        ValueError: there are no frames, or not one label a frame.
    """
    if not frames or columns < 1:
        raise ValueError("a contact sheet needs at least one frame and one column")
    if labels is not None and len(labels) != len(frames):
        raise ValueError(f"found {len(labels)} labels for {len(frames)} frames, expected one a frame")
    height = max(frame.shape[0] for frame in frames)
    width = max(frame.shape[1] for frame in frames)
    rows = -(-len(frames) // columns)
    columns = min(columns, len(frames))
    sheet = Image.new("RGB", (columns * (width + _GAP_PX) - _GAP_PX, rows * (height + _GAP_PX) - _GAP_PX), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=max(11, height // 16))
    for index, frame in enumerate(frames):
        x, y = (index % columns) * (width + _GAP_PX), (index // columns) * (height + _GAP_PX)
        sheet.paste(Image.fromarray(np.ascontiguousarray(frame)), (x, y))
        if labels is not None:
            draw.text((x + 4, y + 2), labels[index], fill="white", font=font, stroke_width=2, stroke_fill="black")
    return np.asarray(sheet)


def write_png(path: Path, picture: np.ndarray) -> None:
    """Write [H, W, 3] or [H, W] uint8 as PNG, atomically and without metadata."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(buffer, format="PNG")
    write_atomic(Path(path), buffer.getvalue())
