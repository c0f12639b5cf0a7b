"""FeatureExtraction CSVs as three versions write them, made here."""

import numpy as np
import pytest

from emotag.errors import ArtifactMismatch, FootageError
from emotag.tracking import openface
from emotag.tracking.openface import NAMES, calibration, intensities, read

PRESENCE = [f"{name}_c" for name in (*NAMES[:16], "AU28", NAMES[16])]
POSE = [f"pose_{axis}" for axis in ("Tx", "Ty", "Tz", "Rx", "Ry", "Rz")]
FRAMES = 40


def truth() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 5, (FRAMES, 17)).round(2)


def write(path, values, version="2.2", failed=(), confidence=0.98, fps=25.0, first=1):
    """A table as the version writes it: blanks up to 2.1, `face_id` from 2.1, the presence columns behind."""
    names = ["frame", *(["face_id"] if version != "2.0" else []), "timestamp", "confidence", "success"]
    names += [*POSE, *(f"{name}_r" for name in NAMES), *PRESENCE]
    comma = "," if version == "2.2" else ", "
    lines = [comma.join(names)]
    for number, row in enumerate(values):
        good = number not in failed
        cells = [str(number + first), *(["0"] if version != "2.0" else []), f"{number / fps:.3f}"]
        cells += [f"{confidence if good else 0:.2f}", str(int(good)), *["1.5"] * len(POSE)]
        cells += [f"{value if good else 0:.2f}" for value in row] + ["1.00"] * len(PRESENCE)
        lines.append(comma.join(cells))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
def test_every_version_is_read_by_column_name(tmp_path, version):
    table = read(write(tmp_path / "a.csv", truth(), version), 0.5)
    np.testing.assert_allclose(table.intensity, truth(), atol=1e-9)
    assert table.frames.tolist() == list(range(FRAMES)) and table.tracked.all()


def test_failed_frames_are_interpolated_not_zero(tmp_path):
    path = write(tmp_path / "a.csv", truth(), failed={0, 10, 11})
    values = intensities(read(path, 0.5), FRAMES, 5.0, path)
    np.testing.assert_allclose(values[0], truth()[1], rtol=1e-6)
    np.testing.assert_allclose(values[10], (2 * truth()[9] + truth()[12]) / 3, rtol=1e-5)
    np.testing.assert_allclose(values[12:], truth()[12:], rtol=1e-6)


def test_blinks_are_clipped_and_stretched_and_nothing_else(tmp_path):
    path = write(tmp_path / "a.csv", truth())
    values = intensities(read(path, 0.5), FRAMES, 2.0, path)
    np.testing.assert_allclose(values[:, -1], np.minimum(truth()[:, -1], 2) * 2.5, rtol=1e-6)
    np.testing.assert_allclose(values[:, :-1], truth()[:, :-1], rtol=1e-6)
    assert NAMES[-1] == openface.BLINK
    np.testing.assert_allclose(intensities(read(path, 0.5), FRAMES, 5.0, path), truth(), rtol=1e-6)


def test_low_confidence_counts_as_failed(tmp_path):
    path = write(tmp_path / "a.csv", truth(), confidence=0.4)
    assert read(path, 0.3).tracked.all()
    with pytest.raises(FootageError, match="tracked in 0 of 40 frames"):
        intensities(read(path, 0.5), FRAMES, 5.0, path)


@pytest.mark.parametrize("rows", [FRAMES - 2, FRAMES])
def test_two_frames_may_be_missing_at_the_end(tmp_path, rows):
    path = write(tmp_path / "a.csv", truth()[:rows])
    assert intensities(read(path, 0.5), FRAMES, 5.0, path).shape == (FRAMES, 17)


@pytest.mark.parametrize("frames", [FRAMES + 3, FRAMES - 1])
def test_another_clip_is_refused(tmp_path, frames):
    path = write(tmp_path / "a.csv", truth())
    with pytest.raises(ArtifactMismatch, match="crop.mp4"):
        intensities(read(path, 0.5), frames, 5.0, path)


def test_another_frame_rate_is_refused(tmp_path):
    with pytest.raises(ArtifactMismatch, match="25 frames a second"):
        read(write(tmp_path / "a.csv", truth(), fps=29.97), 0.5)


def test_several_faces_are_refused(tmp_path):
    path = write(tmp_path / "a.csv", truth())
    path.write_text(path.read_text() + path.read_text().splitlines()[-1] + "\n")
    with pytest.raises(ArtifactMismatch, match="several faces"):
        read(path, 0.5)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [("AU45_r", "AU46_r", "AU45_r are missing"), ("1.50,", "abc,", "no number"), ("0.98", "nan", "not finite")],
)
def test_broken_tables_are_refused(tmp_path, old, new, match):
    path = write(tmp_path / "a.csv", np.full((FRAMES, 17), 1.5))
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ArtifactMismatch, match=match):
        read(path, 0.5)


def test_a_header_alone_is_refused(tmp_path):
    with pytest.raises(ArtifactMismatch, match="no frame"):
        read(write(tmp_path / "a.csv", []), 0.5)


def test_calibration_finds_a_known_line():
    inside = np.random.default_rng(1).uniform(0, 5, (200, 2)).astype(np.float32)
    report = calibration(["AU01", "AU02"], 0.5 * inside + 0.25, inside)
    for row in report.values():
        assert row["correlation"] == pytest.approx(1, abs=1e-6)
        assert (row["slope"], row["intercept"]) == (pytest.approx(0.5, abs=1e-6), pytest.approx(0.25, abs=1e-5))
    still = calibration(["AU01"], inside[:, :1], np.zeros((200, 1)))["AU01"]
    assert still["correlation"] is None and still["slope"] is None
    assert still["mean_absolute_difference"] == pytest.approx(float(inside[:, 0].mean()), rel=1e-6)
