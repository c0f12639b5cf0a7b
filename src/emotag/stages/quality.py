"""Quality report of a clip: is it fit for a talking head, and if not, why?

Reads the crop with its facts and sound, the face mesh, the subject, the tracks and the audio-visual offset. Writes the
report (JSON: measures, verdict, reasons), a contact sheet (evenly spaced frames, then the worst tracked ones, with the
mesh drawn in) and the overlay video.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import Landmarks, Subject, Tracks
from emotag.head import models
from emotag.head.base import HeadModel
from emotag.io.artifact import read_json, write_json
from emotag.io.audio import read_audio
from emotag.io.sheets import contact_sheet, write_png
from emotag.io.video import read_frames, resize, write_video
from emotag.parts import test_part
from emotag.tracking import overlay, quality
from emotag.tracking.posing import model_points
from emotag.types import FPS, LANDMARKS

log = logging.getLogger(__name__)

SPACED, WORST, COLUMNS = 8, 4, 4
SHEET_PX = 320
# Drawing takes time: the overlay shows the clip's beginning; the errors in the report cover all of it.
OVERLAY_FRAMES = 10 * FPS
OVERLAY_CRF = 23
SHARPNESS_EVERY = 10


def run(
    *,
    head: Path,
    subject: Path,
    clip: str,
    crop: Path,
    crop_info: Path,
    audio: Path,
    landmarks: Path,
    tracks: Path,
    sync: Path,
    out_report: Path,
    out_sheet: Path,
    out_overlay: Path,
) -> None:
    """Measure, judge, draw. `tracking_unseen` leaves out the frames of `clip` that the `subject` was fitted on."""
    model, mesh, tracked = models.load(head), Landmarks.load(landmarks), Tracks.load(tracks)
    facts, offset, samples = (
        read_json(crop_info, "face_px", "warnings"),
        read_json(sync, "offset_frames"),
        read_audio(audio),
    )
    person = Subject.load(subject)
    projected = model_points(model, tracked, np.zeros((LANDMARKS, 3), np.float32))
    tracking = quality.tracking_errors(tracked, mesh.points, projected)
    unseen = slice(*test_part(len(mesh.points), (person.part[0], person.part[1]), clip == person.clip))
    measures = {
        "snr_db": quality.signal_to_noise_db(samples),
        "face_px": facts["face_px"],
        "sharpness": _sharpness(crop, mesh.points),
        "interpolated_share": float(mesh.interpolated.mean()),
        "detected_jitter_iod": tracking["jitter_detected"],
        "inner51_iod": tracking["inner51_iod"],
        "source_fps": facts["source"]["fps"],
        "max_faces": max(facts["faces_per_sampled_frame"]),
        "offset_frames": offset["offset_frames"],
    } | quality.head_angles_deg(tracked.rotation)
    verdict, reasons = quality.judge(measures)
    remarks = facts["warnings"] + ([offset["warning"]] if offset.get("warning") else [])
    cut_at = quality.cuts(mesh.points)
    if cut_at:
        remarks.append(
            f"the face leaps at {', '.join(f'{k / FPS:.2f} s' for k in cut_at[:8])}: a cut, or a very fast movement"
        )
    error = tracked.landmark_error.mean(1)
    report = {
        "verdict": "warn" if verdict == "ok" and remarks else verdict,
        "reasons": reasons + remarks,
        "measures": measures,
        "limits": {limit.measure: {"warn": limit.warn, "refuse": limit.refuse} for limit in quality.LIMITS},
        "tracking": tracking,
        "tracking_unseen": quality.tracking_errors(tracked, mesh.points, projected, unseen),
        "error_px": dict(
            zip(("median", "p95", "worst"), np.percentile(error, [50, 95, 100]).round(3).tolist(), strict=True)
        ),
        "worst_frame": int(error.argmax()),
        "frames": len(mesh.points),
        "cuts": cut_at,
    }
    write_video(out_overlay, _overlays(crop, model, tracked), crf=OVERLAY_CRF, audio=samples)
    write_png(out_sheet, _sheet(crop, model, tracked, error))
    write_json(out_report, report | {"provenance": stage.provenance()})
    log.info("%s: %s%s", crop, report["verdict"], "".join(f"; {reason}" for reason in report["reasons"]))


def _sharpness(crop: Path, points: np.ndarray) -> float:
    chosen = range(0, len(points), SHARPNESS_EVERY)
    pairs = zip(read_frames(crop, only=chosen), points[chosen], strict=True)
    return float(np.median([quality.sharpness(frame, face) for frame, face in pairs]))


def _overlays(crop: Path, model: HeadModel, tracks: Tracks) -> Iterator[np.ndarray]:
    for index, frame in enumerate(read_frames(crop, 0, OVERLAY_FRAMES)):
        yield overlay.draw(frame, model, tracks, index)


def _sheet(crop: Path, model: HeadModel, tracks: Tracks, error: np.ndarray) -> np.ndarray:
    spaced = np.linspace(0, len(error) - 1, SPACED).round().astype(int).tolist()
    worst = np.argsort(-error, kind="stable")[:WORST].tolist()
    wanted = sorted({*spaced, *worst})
    drawn = {
        index: resize(overlay.draw(frame, model, tracks, index), SHEET_PX, SHEET_PX)
        for index, frame in zip(wanted, read_frames(crop, only=wanted), strict=True)
    }
    labels = [f"{index / FPS:.2f} s" for index in spaced] + [f"worst {error[i]:.1f} px, {i / FPS:.2f} s" for i in worst]
    return contact_sheet([drawn[index] for index in spaced + worst], COLUMNS, labels)


if __name__ == "__main__":
    stage.main(run)
