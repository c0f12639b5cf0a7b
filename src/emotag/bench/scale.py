"""How it grows: a dry run for many identities, and the memory that a long voice takes in the stages it goes through."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emotag.bench.working_tree import SETTINGS, SNAKEMAKE, Tree
from emotag.errors import EmotagError
from emotag.io.audio import read_audio, write_wav
from emotag.io.video import probe
from emotag.types import FPS, SAMPLE_RATE_HZ

# Seconds of sound compared, and how far one may be moved against the other.
WINDOW_S, LAG_S = 2.0, 0.5
SIZE_PX = 64


MEASURE = """
import json, resource, subprocess, sys, time
began = time.monotonic()
code = subprocess.call(sys.argv[1:], stdout=sys.stderr)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""


@dataclass(frozen=True)
class Spent:
    """Wall and CPU seconds, and peak resident MB, of a process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def spend(command: list[str], cwd: Path, said: Path) -> Spent:
    """Run a command, its words to a file, and measure it.

    Raises:
        EmotagError: it fails.
    """
    # A small process starts it: a child's peak begins with the memory of the one that it was forked from.
    measuring = [sys.executable, "-I", "-S", "-c", MEASURE, *command]
    with said.open("w") as file:
        done = subprocess.run(
            measuring,
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    code, wall_s, cpu_s, kilobytes = json.loads(done.stdout.splitlines()[-1])
    if code:
        raise EmotagError(f"{command[:4]}: ended with {code}: {said.read_text()[-1500:]}")
    return Spent(wall_s, cpu_s, kilobytes / 1024)


def dry_run(source: Path, work: Path, identities: int, target: str, batch: str = "") -> dict[str, Any]:
    """Plan `target` for many identities that have done nothing yet, each with a clip of its own.

    `batch`: as Snakemake's --batch, `page=1/20` plans a twentieth of the identities.
    """
    terms = "video: clip.mp4, source: own recording, licence: own, consent: my own face"
    people = "".join(f"  p{number:05d}: {{{terms}}}\n" for number in range(identities))
    settings = f"preset: laptop\nadapt: {{identity: p00000}}\nidentities:\n{people}"
    shutil.rmtree(work, ignore_errors=True)
    tree = Tree.of_this(source, work, settings, 8)
    (tree.path / "clip.mp4").touch()
    more = ["--batch", batch] if batch else []
    command = [str(SNAKEMAKE), "-n", "--cores", "8", "--configfile", SETTINGS, *more, "--", target]
    spent = spend(command, tree.path, tree.path / "said")
    total = re.search(r"^total +(\d+)$", (tree.path / "said").read_text(), re.M)
    return {"identities": identities, "batch": batch, "jobs": int(total[1]) if total else 0, **vars(spent)}


def long_voice(results: Path, identity: str, work: Path, model: Path, minutes: list[float]) -> list[dict[str, Any]]:
    """Speak for so many minutes with an avatar of a finished run: memory of each stage, and sound against picture at the end.

    The voice is the clip's own, over and over.
    """
    work.mkdir(parents=True, exist_ok=True)
    voice = read_audio(results / "clips" / identity / "audio.wav")
    rows = []
    for length in minutes:
        sound, name = work / f"{length:g}.wav", f"{length:g}"
        write_wav(sound, np.resize(voice, int(60 * length * SAMPLE_RATE_HZ)))
        spent = {stage: spend(command, Path.cwd(), work / f"{name}.{stage}.log") for stage, command in
                 commands(results, identity, sound, work / name, model).items()}  # fmt: skip
        video = work / name / "video.mp4"
        rows.append({
            "minutes": length,
            **{stage: vars(value) for stage, value in spent.items()},
            "frames_short": round(60 * length * FPS) - probe(video).frames,
            "lag_s_at_the_end": lag_at_the_end(sound, video),
        })  # fmt: skip
    return rows


def commands(results: Path, identity: str, sound: Path, out: Path, model: Path) -> dict[str, list[str]]:
    """Command lines of stages speech, drive and render for a voice of its own, pictures of `SIZE_PX`."""
    person, clip = results / "identities" / identity, results / "clips" / identity
    own = person / identity
    config = json.dumps({"size_px": SIZE_PX})
    facts = json.dumps({"identity": identity})
    common = f"--avatar {person}/avatar.safetensors --subject {person}/subject.safetensors"
    lines = {
        "speech": f"--audio {sound} --model {model} --out {out}/speech.safetensors --config {{}}",
        "drive": f"{common} --identity {person}/identity.safetensors --adapt-tracks {own}/tracks.safetensors"
        f" --adapt-action-units {own}/action_units.safetensors --adapt-speech {clip}/speech.safetensors"
        f" --adapt-sync {own}/sync.json --tracks {own}/refined.safetensors"
        f" --action-units {own}/action_units.safetensors --sync {own}/sync.json --speech {out}/speech.safetensors"
        f" --clip {identity} --self-driven False --part {{}} --emotion {{}} --variants avatar --out {out}/motion.safetensors",
        "render": f"{common} --head {results}/head/makehuman.safetensors --motion {out}/motion.safetensors"
        f" --plate {clip}/plate.mp4 --audio {sound} --out {out}/video.mp4 --out-sidecar {out}/sidecar.json",
    }
    made = {stage: [sys.executable, "-m", f"emotag.stages.{stage}", *line.split()] for stage, line in lines.items()}
    made["render"] += ["--config", config, "--facts", facts]
    return made


def lag_at_the_end(sound: Path, video: Path) -> float:
    """Seconds by which the video's last sound lies behind that of the voice it speaks (cross-correlation)."""
    heard, given = read_audio(video), read_audio(sound)
    reach, length = int(LAG_S * SAMPLE_RATE_HZ), int(WINDOW_S * SAMPLE_RATE_HZ)
    start = min(len(given), len(heard)) - length - reach
    part = given[start : start + length]
    around = heard[start - reach : start + length + reach]
    found = np.correlate(around, part, "valid")
    return round((int(np.argmax(found)) - reach) / SAMPLE_RATE_HZ, 4)
