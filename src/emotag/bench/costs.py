"""What many people would cost, computed from the benchmarks and files of a finished run: core-hours, GPU steps and storage.

Jobs of a clip grow with its length, jobs of a drive with the tested part's, jobs of a person do not grow; each is the median
over the run's clips. CPU time is counted, which other work on the machine does not stretch.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from emotag.errors import ArtifactMismatch
from emotag.io.artifact import read_json
from emotag.presets import PRESETS
from emotag.types import SAMPLE_RATE_HZ

OF_CLIP = (
    "crop",
    "landmarks",
    "matte",
    "plate",
    "speech",
    "emotion",
    "track",
    "action_units",
    "quality",
    "refine",
    "sync",
)
OF_DRIVE = ("drive", "render", "truth", "measure", "summary")
OF_PERSON = ("shape", "identity", "geometry", "adapt", "gather")
# Of these a run that begins with the shipped prior has the first two alone.
SHARED = ("head", "lips", "corpus", "actors", "pretrain")
ALWAYS_SHARED = SHARED[:2]
# A benchmark of a job that only read what was there would make a training look like nothing.
SHORTEST_ADAPT_S = 30.0
PART_S = 5.0


@dataclass(frozen=True)
class Rates:
    """CPU seconds a second of footage, a second of the tested part, and a person; shared CPU seconds; bytes likewise."""

    cpu: dict[str, float]
    bytes_second: float
    bytes_person: float
    bytes_state: float
    bytes_shared: float


def measured(results: Path) -> Rates:
    """Rates of the run in `results`.

    Raises:
        ArtifactMismatch: there is no finished run in it.
    """
    seconds = {path.parent.name: clip_seconds(path) for path in results.glob("clips/*/audio.wav")}
    found: dict[str, list[float]] = defaultdict(list)
    for path in sorted((results / "benchmarks").glob("*/*.jsonl")):
        rule, names = path.parent.name, path.name.removesuffix(".jsonl").split("@")
        record = json.loads(path.read_text().splitlines()[-1])
        spent = float(record["cpu_time"])
        clip = names[1].removeprefix("self-") if len(names) > 1 else names[0]
        if rule in SHARED or (rule in OF_PERSON and (rule != "adapt" or spent > SHORTEST_ADAPT_S)):
            found[rule].append(spent)
        elif rule in OF_CLIP and clip in seconds:
            found[rule].append(spent / seconds[clip])
        elif rule in OF_DRIVE and clip in seconds:
            found[rule].append(spent / (seconds[clip] - PART_S))
    lacking = [rule for rule in (*OF_CLIP, *OF_DRIVE, *OF_PERSON, *ALWAYS_SHARED) if rule not in found]
    if lacking:
        raise ArtifactMismatch(
            f"{results}: found no benchmark of {', '.join(lacking)}; give the results of a finished run"
        )
    clips = {clip: size_of(results / "clips" / clip) for clip in seconds}
    people = [folder for folder in (results / "identities").iterdir() if folder.name in seconds]
    drives = {folder.name: size_of(folder) - person_bytes(folder) for folder in people}
    return Rates(
        cpu={rule: median(values) for rule, values in found.items()},
        bytes_second=median((clips[clip] + drives.get(clip, 0)) / seconds[clip] for clip in seconds),
        bytes_person=median(person_bytes(folder) for folder in people),
        bytes_state=median(size_of(results / "state" / "adapt" / folder.name) for folder in people),
        bytes_shared=sum(size_of(results / name) for name in ("head", "prior", "corpus", "state/pretrain")),
    )


def clip_seconds(audio: Path) -> float:
    """Length of a clip, by the size of its sound (16-bit mono)."""
    return audio.stat().st_size / (2 * SAMPLE_RATE_HZ)


def person_bytes(folder: Path) -> int:
    """What is kept of a person whatever the clip's length: subject, identity, geometry, avatar."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def size_of(folder: Path) -> int:
    """Bytes below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def cost(rates: Rates, people: int, minutes: float) -> dict[str, float]:
    """Core-hours (all, and those of jobs that ask for a GPU) and GB of `people` with `minutes` of footage each."""
    cpu, length = rates.cpu, 60 * minutes
    clip = sum(cpu[rule] for rule in OF_CLIP) * length
    # The avatar's own video stands for each of its three baselines', which are one job.
    drive = (cpu["drive"] + 4 * cpu["render"] + cpu["truth"] + cpu["measure"] + cpu["summary"]) * (length - PART_S)
    person = sum(cpu[rule] for rule in OF_PERSON)
    shared = sum(cpu.get(rule, 0.0) for rule in SHARED)
    on_gpu = people * (cpu["adapt"] + cpu["refine"] * length + 4 * cpu["render"] * (length - PART_S))
    on_gpu += cpu.get("pretrain", 0.0)
    kept = people * (rates.bytes_second * length + rates.bytes_person) + rates.bytes_shared
    return {
        "core_hours": (people * (clip + drive + person) + shared) / 3600,
        "core_hours_of_gpu_jobs": on_gpu / 3600,
        "core_hours_a_person": (clip + drive + person) / 3600,
        "storage_gb": kept / 1e9,
        "state_gb": people * rates.bytes_state / 1e9,
    }


def gpu_hours(people: int, step_ms: float) -> float:
    """GPU-hours of the trainings alone at EmoTaG's own scale, where a step takes `step_ms`."""
    adapt, pretrain = PRESETS["paper"]["adapt"], PRESETS["paper"]["pretrain"]
    steps = people * (adapt["static_iterations"] + adapt["iterations"]) + pretrain["rendered"]["iterations"]
    return steps * step_ms / 3.6e6


def run(results: Path, cases: list[tuple[int, float]], step_ms: float) -> dict[str, Any]:
    """Rates of a run, and the cost of (people, minutes each)."""
    rates = measured(results)
    names = {str(path.parent.name) for path in results.glob("clips/*/crop.json") if read_json(path)}
    told = {
        f"{people} x {minutes:g} min": cost(rates, people, minutes) | {"gpu_hours": gpu_hours(people, step_ms)}
        for people, minutes in cases
    }
    return {"clips": sorted(names), "cpu_seconds": rates.cpu, "costs": told}


def table(result: dict[str, Any]) -> str:
    """Rates, then costs."""
    units = {
        "OF_CLIP": "s a second of footage",
        "OF_DRIVE": "s a second tested",
        "OF_PERSON": "s a person",
        "SHARED": "s once",
    }
    lines = ["| job | CPU time | |", "| --- | ---: | --- |"]
    for group, unit in units.items():
        lines += [
            f"| {rule} | {result['cpu_seconds'][rule]:.2f} | {unit} |"
            for rule in globals()[group]
            if rule in result["cpu_seconds"]
        ]
    lines += [
        "",
        "| | core-hours | of them in GPU jobs | a person | results, GB | states, GB |",
        "| --- " + "| ---: " * 5 + "|",
    ]
    for name, found in result["costs"].items():
        figures = [f"{value:,.3g}" if value < 10 else f"{value:,.0f}" for value in found.values()]
        lines.append(f"| {name} | {' | '.join(figures)} |")
    return "\n".join(lines)
