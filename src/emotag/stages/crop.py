"""Crop a clip to its main face: 25 fps, square, with its sound at 16 kHz; bad footage is refused here.

Reads any video with sound. Writes the crop (H.264, all key frames, visually lossless), the sound (wav, mono, PCM16, on
the crop's clock) and the facts (JSON): box, source times, source size, faces, sound, warnings.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emotag import stage
from emotag.config import CropConfig
from emotag.io.artifact import write_json
from emotag.io.audio import read_audio, write_wav
from emotag.io.video import VideoInfo, probe, read_at_rate, write_video
from emotag.tracking import footage
from emotag.tracking.faces import FaceTrack, face_detector, link
from emotag.tracking.framing import CropBox, crop_box, cut, outside
from emotag.types import FPS, SAMPLE_RATE_HZ

log = logging.getLogger(__name__)

# Faces are looked for five times a second.
SAMPLE_EVERY = 5
THUMBNAIL_PX = 16
CRF = 8
# What a warning is worth: encoders round the sound's end by less, and a talker may sit still for a moment.
SOUND_GAP_S, STANDING_SHARE = 0.2, 0.1


def run(*, video: Path, out_video: Path, out_audio: Path, out_info: Path, config: CropConfig) -> None:
    """Check the footage, then write crop, sound and facts.

    Raises:
        FootageError: the footage cannot be used; the line names every reason found.
    """
    footage.check_extension(video)
    info = probe(video)
    reasons = footage.check_file(info, config)
    if info.still_image:
        footage.refuse(video, reasons)
    samples = read_audio(video) if info.audio_streams else np.zeros(0, np.float32)
    sound = footage.sound_facts(samples)
    if info.audio_streams:
        reasons += footage.check_sound(sound, info.duration_s)
    scan = _Scan(video)
    if scan.frozen:
        reasons.append("found the same picture in every frame, expected moving pictures: record a video of the person")
    reasons += footage.check_faces(scan.tracks, len(scan.sampled), FPS, config)
    footage.refuse(video, reasons)

    boxes = scan.tracks[0].boxes
    box = crop_box(boxes, info.width, info.height, config.face_share)
    source_times: list[float] = []
    count = write_video(out_video, _crops(video, box, config.size_px, source_times), crf=CRF, all_intra=True)
    length = round(count * SAMPLE_RATE_HZ / FPS)
    write_wav(out_audio, np.pad(samples[:length], (0, max(0, length - len(samples)))))
    facts = _facts(info, box, scan, sound, source_times, config)
    write_json(out_info, facts | {"provenance": stage.provenance()})
    for warning in facts["warnings"]:
        log.warning("%s: %s", video.name, warning)


class _Scan:
    """One pass over the clip: faces of every fifth frame, and whether anything moves where the first face was."""

    def __init__(self, video: Path) -> None:
        self.sampled: list[int] = []
        self.faces: list[int] = []
        detections, thumbnails, place = [], [], None
        with face_detector() as detector:
            for index, (picture, _) in enumerate(read_at_rate(video)):
                if index % SAMPLE_EVERY:
                    continue
                found = detector.detect(picture)
                self.sampled.append(index)
                self.faces.append(len(found))
                detections.append(found)
                if place is None and found:
                    place = CropBox(*found[0].box[:2].round().astype(int).tolist(), max(1, round(found[0].height)))
                if place is not None:
                    thumbnails.append(cut(picture, place, THUMBNAIL_PX))
        self.tracks: list[FaceTrack] = link(self.sampled, detections)
        self.frozen = footage.is_frozen(thumbnails)
        self.standing_share = footage.standing_share(thumbnails)


def _crops(video: Path, box: CropBox, size_px: int, source_times: list[float]) -> Iterator[np.ndarray]:
    for picture, time in read_at_rate(video):
        source_times.append(round(time, 6))
        yield cut(picture, box, size_px)


def _facts(
    info: VideoInfo,
    box: CropBox,
    scan: _Scan,
    sound: dict[str, float],
    source_times: list[float],
    config: CropConfig,
) -> dict:
    main = scan.tracks[0]
    left, top, right, bottom = box.as_list()
    warnings = _warnings(info, box, scan, sound)
    return {
        "frames": len(source_times),
        "fps": FPS,
        "duration_s": len(source_times) / FPS,
        "size_px": config.size_px,
        "boxes": [[left, top, right, bottom]] * len(source_times),
        "source_times_s": source_times,
        "source": {
            "width": info.width,
            "height": info.height,
            "fps": info.fps,
            "variable_rate": info.variable_rate,
            "rotation": info.rotation,
            "duration_s": info.duration_s,
            "codec": info.codec,
            "pixel_format": info.pixel_format,
        },
        "face_px": round(main.height, 1),
        "face_share": round(main.height / box.edge, 4),
        "sampled_frames": scan.sampled,
        "faces_per_sampled_frame": scan.faces,
        "audio": sound | {"source_rate_hz": info.audio_rate_hz, "source_channels": info.audio_channels},
        "warnings": warnings,
    }


def _warnings(info: VideoInfo, box: CropBox, scan: _Scan, sound: dict[str, float]) -> list[str]:
    main = scan.tracks[0]
    left, top, right, bottom = box.as_list()
    away = outside(main.boxes, box).mean()
    missing = 1 - len(main.faces) / len(scan.sampled)
    warnings = []
    if left < 0 or top < 0 or right > info.width or bottom > info.height:
        warnings.append("the crop reaches beyond the frame; the border is repeated there")
    if away > 0:
        warnings.append(f"the face leaves the crop in {away:.0%} of the sampled frames")
    if missing > 0.02:
        warnings.append(f"no face was found in {missing:.0%} of the sampled frames")
    if max(scan.faces) > 1:
        warnings.append(f"up to {max(scan.faces)} faces in a frame; the largest and longest seen is used")
    if info.fps < FPS - 1:
        warnings.append(f"the source has {info.fps:.3g} frames a second; frames are repeated to reach {FPS}")
    if info.hdr:
        warnings.append("the source is HDR (PQ or HLG); it is not tone-mapped, colours will look flat")
    if scan.standing_share > STANDING_SHARE:
        warnings.append(f"the picture stands still in {scan.standing_share:.0%} of the sampled frames")
    if info.duration_s - sound["duration_s"] > SOUND_GAP_S:
        warnings.append(
            f"the sound ends {info.duration_s - sound['duration_s']:.1f} s before the picture; silence follows"
        )
    if sound["clipped_share"] > 0.001:
        warnings.append(f"{sound['clipped_share']:.1%} of the sound's samples are clipped")
    return warnings


if __name__ == "__main__":
    stage.main(run)
