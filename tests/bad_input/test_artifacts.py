"""Artifacts that were cut off, changed or swapped between two stages: one line that names the file, nothing written."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from emotag.artifacts import Emotion, Landmarks, LipRidge, Speech
from emotag.io.artifact import read_json, write_json
from emotag.io.video import write_video
from emotag.stages import emotion, gather, matte, sync
from emotag.training.checkpoint import CHECKPOINT, StateFolder

FRAMES = 40


def landmarks(path: Path, **changes: np.ndarray) -> Path:
    rng = np.random.default_rng(0)
    arrays = {
        "points": rng.uniform(0, 128, (FRAMES, 478, 3)).astype(np.float32),
        "confidence": np.ones(FRAMES, np.float32),
        "interpolated": np.zeros(FRAMES, bool),
    }
    Landmarks(**(arrays | changes), width=128, height=128).save(path)
    return path


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def part(path: Path, share: float) -> Path:
    whole = landmarks(path).read_bytes()
    return written(path, whole[: int(share * len(whole))])


def flipped(path: Path, position: int) -> Path:
    data = bytearray(landmarks(path).read_bytes())
    data[position] ^= 0x10
    return written(path, bytes(data))


def with_header(path: Path, change: Callable[[dict], None]) -> Path:
    """The header's own words changed, as another version would write them; lengths are kept right."""
    data = landmarks(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"].pop("sha256")
    change(header["__metadata__"])
    text = json.dumps(header).encode()
    return written(path, len(text).to_bytes(8, "little") + text + data[8 + length :])


def foreign(path: Path) -> Path:
    save_file({"points": np.zeros((2, 2), np.float32)}, path)
    return path


def other_kind(path: Path) -> Path:
    Emotion(np.full((FRAMES, 7), 1 / 7, np.float32), "fer").save(path)
    return path


def of_nan() -> np.ndarray:
    points = np.zeros((FRAMES, 478, 3), np.float32)
    points[3, 5] = np.nan
    return points


ARTIFACTS: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    "zero length": (lambda p: written(p, b""), ["cannot be read as an artifact"]),
    "cut off in the header": (lambda p: part(p, 0.001), ["cannot be read as an artifact"]),
    "cut off in the middle": (lambda p: part(p, 0.5), ["cannot be read as an artifact"]),
    "last byte lost": (lambda p: written(p, landmarks(p).read_bytes()[:-1]), ["cannot be read as an artifact"]),
    "grown": (lambda p: written(p, landmarks(p).read_bytes() + bytes(64)), ["cannot be read as an artifact"]),
    "zeros, as after a power cut": (lambda p: written(p, bytes(5000)), ["cannot be read as an artifact"]),
    "a bit of the header": (lambda p: flipped(p, 5), ["landmarks"]),
    "a bit of an array": (lambda p: flipped(p, -1000), ["not what was written", "sha256"]),
    "text": (lambda p: written(p, b"hello" * 100), ["cannot be read as an artifact"]),
    "a pickle": (lambda p: written(p, b"\x80\x04cos\nsystem\n(S'touch made'\ntR."), ["cannot be read as an artifact"]),
    "another artifact": (other_kind, ["found kind 'emotion'", "expected 'landmarks'"]),
    "another program's tensors": (foreign, ["found kind None", "expected 'landmarks'"]),
    "a later schema": (lambda p: with_header(p, lambda m: m.update(schema="99")), ["schema '99'"]),
    "fields that are no JSON": (lambda p: with_header(p, lambda m: m.update(fields="{")), ["fields"]),
    "no fields": (lambda p: with_header(p, lambda m: m.pop("fields")), ["fields"]),
    "a field of another type": (
        lambda p: with_header(p, lambda m: m.update(fields='{"width": "wide", "height": 128}')), ["width is str", "int"],
    ),
    "an array of another shape": (
        lambda p: landmarks(p, points=np.zeros((FRAMES, 68, 2), np.float32)), ["points has shape [40, 68, 2]", "478"],
    ),
    "arrays of unlike lengths": (
        lambda p: landmarks(p, confidence=np.ones(7, np.float32)), ["confidence has shape [7]", "[40]"],
    ),
    "not a number": (lambda p: landmarks(p, points=of_nan()), ["points", "not finite"]),
    "a folder": (lambda p: p.mkdir() or p, ["landmarks.safetensors"]),
    "nothing": (lambda p: p, ["landmarks.safetensors"]),
}  # fmt: skip


@pytest.mark.parametrize("case", ARTIFACTS)
def test_artifact_that_is_not_whole_is_refused(case, tmp_path, refused):
    make, words = ARTIFACTS[case]
    file = make(tmp_path / "landmarks.safetensors")
    files = {"landmarks": file, "speech": file, "lips": file, "articulation": []}
    refused(sync, words, **files, start_s=0, seconds=5, out="OUT/sync.json", config="{}")
    assert not os.path.exists("made")


@pytest.mark.parametrize("part", [(100, 5), (1.5, 5)])
def test_adaptation_part_outside_the_clip_is_refused(part, tmp_path, refused):
    values = np.zeros(80, np.float32)
    Speech(np.zeros((80, 2), np.float32), values, values, values, "whisper", "r").save(tmp_path / "s")
    LipRidge({"weights": values}, ["aperture"], "whisper", "r").save(tmp_path / "lips")
    files = {"landmarks": landmarks(tmp_path / "l"), "speech": tmp_path / "s", "lips": tmp_path / "lips"}
    refused(
        sync,
        ["adapt_on.start_s", "1.6 s", "earlier start"],
        **files,
        articulation=[],
        start_s=part[0],
        seconds=part[1],
        out="OUT/sync.json",
        config="{}",
    )


@pytest.mark.parametrize("module", [emotion, matte])
def test_landmarks_of_another_clip_are_refused(module, tmp_path, refused):
    write_video(tmp_path / "crop.mp4", [np.full((64, 64, 3), 4 * k, np.uint8) for k in range(5)])
    outputs = {"out": "OUT/e"} if module is emotion else {"out_alpha": "OUT/a.mkv", "out_labels": "OUT/l.mkv"}
    more = {"model": tmp_path / "model", "package": []} if module is emotion else {"given": []}
    files = {"crop": tmp_path / "crop.mp4", "landmarks": landmarks(tmp_path / "l")}
    refused(module, ["found 40 frames, expected 5 as in"], **files, **more, **outputs, config="{}")


SUMMARIES = {
    "zero length": b"", "cut off": b'{"identity": "me", "dri', "a list": b"[1, 2]", "text": b"hello",
    "Latin-1": b'{"a": "\xe9"}', "brackets without end": b"[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("case", SUMMARIES)
def test_json_that_is_not_whole_is_refused(case, tmp_path, refused):
    refused(gather, ["summary.json"], summaries=written(tmp_path / "summary.json", SUMMARIES[case]), out="OUT/me.json")


def test_json_without_its_key_names_it(tmp_path):
    write_json(tmp_path / "sync.json", {"told": True})
    with pytest.raises(Exception, match="sync.json: has no offset_frames"):
        read_json(tmp_path / "sync.json", "offset_frames")


class Harm:
    """A pickle that would run a program."""

    def __reduce__(self):
        return os.system, ("touch made",)


def torn(path: Path, change: Callable[[bytearray], bytes]) -> None:
    path.write_bytes(change(bytearray(path.read_bytes())))


def flip(data: bytearray) -> bytes:
    data[len(data) // 2] ^= 1
    return bytes(data)


CHECKPOINTS: dict[str, Callable[[Path], object]] = {
    "zero length": lambda p: p.write_bytes(b""),
    "cut off": lambda p: torn(p, lambda data: bytes(data[: len(data) // 2])),
    "last byte lost": lambda p: torn(p, lambda data: bytes(data[:-1])),
    "a bit flipped": lambda p: torn(p, flip),
    "zeros": lambda p: torn(p, lambda data: bytes(len(data))),
    "text": lambda p: p.write_text("hello"),
    "a pickle that runs a program": lambda p: torch.save(Harm(), p),
    "a checkpoint of another program": lambda p: torch.save({"state_dict": {}}, p),
}


@pytest.mark.parametrize("case", CHECKPOINTS)
def test_training_starts_anew_from_a_checkpoint_that_is_not_whole(case, tmp_path, caplog, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with StateFolder(tmp_path, "job") as state:
        state.save({"model": {"w": torch.arange(300.0)}, "step": 4})
        CHECKPOINTS[case](state.path / CHECKPOINT)
        assert state.load() is None and "starts anew" in caplog.text
        assert not (state.path / CHECKPOINT).exists() and not (tmp_path / "made").exists()


def test_speech_of_another_encoder_is_refused_by_its_prior(tmp_path):
    """A whole artifact goes on to be read."""
    values = np.zeros(4, np.float32)
    Speech(np.zeros((4, 2), np.float32), values, values, values, "whisper", "r").save(tmp_path / "s")
    assert Speech.load(tmp_path / "s").revision == "r"
