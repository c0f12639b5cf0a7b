"""The kill matrix: every long stage is killed, its Snakemake too, the power goes, the disk fills up; one plain run afterwards
must end with the bytes of an undisturbed one.

Rows are written as they come, and those that are there are not done again. Trees lie below `work`.
"""

import json
import logging
import os
import platform
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from emotag.bench import survival_cases as cases
from emotag.bench.survival_cases import Fate, Stage
from emotag.bench.working_tree import Ended, Tree
from emotag.errors import EmotagError
from emotag.io.artifact import write_json
from emotag.provenance import commit

log = logging.getLogger(__name__)

# Small, but with enough steps that every training passes checkpoints.
SETTINGS = """
preset: laptop
demo: {seconds: 7, size_px: 256}
talkers: {talkers: 8}
crop: {size_px: 256}
geometry: {size_px: 64}
prior: {source: train}
pretrain: {emotion_iterations: 150, batch_windows: 2}
adapt: {gaussians: 4000, size_px: 128, static_iterations: 200, iterations: 200, checkpoint_every: 20}
refine: {size_px: 128}
render: {size_px: 256}
"""
SUMMED = ("summary.json", "sheet.png", "side_by_side.mp4", "metrics.csv", "metrics.md")
PERSON, DRIVE = "identities/demo", "identities/demo/drives/self-demo"
# All that take over ten seconds at the default settings (docs/performance.md).
STAGES = (
    Stage("demo", ("demo/demo.mp4", "demo/truth.safetensors"), "demo/shared"),
    Stage("lips", ("prior/lips.safetensors",), "lips/shared"),
    Stage("corpus", ("corpus/synthetic/all.safetensors",), "corpus/shared"),
    Stage("actors", ("corpus/synthetic/actors.safetensors",), "actors/shared"),
    Stage(
        "pretrain", ("prior/synthetic/all/prior.safetensors",), "pretrain/synthetic@all", "pretrain/synthetic/all", 50
    ),
    Stage("crop", ("clips/demo/crop.mp4", "clips/demo/audio.wav", "clips/demo/crop.json"), "crop/demo"),
    Stage("landmarks", ("clips/demo/landmarks.safetensors",), "landmarks/demo"),
    Stage("matte", ("clips/demo/alpha.mkv", "clips/demo/labels.mkv"), "matte/demo"),
    Stage("plate", ("clips/demo/plate.mp4",), "plate/demo"),
    Stage("speech", ("clips/demo/speech.safetensors",), "speech/demo"),
    Stage("shape", (f"{PERSON}/subject.safetensors",), "shape/demo"),
    Stage("track", (f"{PERSON}/demo/tracks.safetensors",), "track/demo@demo"),
    Stage("quality", tuple(f"{PERSON}/demo/{f}" for f in ("quality.json", "quality.png", "overlay.mp4")), "quality/demo@demo"),
    Stage("adapt", (f"{PERSON}/avatar.safetensors",), "adapt/demo", "adapt/demo", 20),
    Stage("refine", (f"{PERSON}/demo/refined.safetensors",), "refine/demo@demo"),
    Stage("render", (f"{DRIVE}/avatar/video.mp4", f"{DRIVE}/avatar/sidecar.json"), "render/demo@self-demo@avatar"),
    Stage(
        "baselines",
        tuple(f"{DRIVE}/{v}/{f}" for v in ("frozen", "nearest", "upper_bound") for f in ("video.mp4", "sidecar.json")),
        "render_baselines/demo@self-demo",
        module="render",
    ),
    Stage("measure", (f"{DRIVE}/metrics.parquet",), "measure/demo@self-demo"),
    Stage("summary", tuple(f"{DRIVE}/{f}" for f in SUMMED), "summary/demo@self-demo"),
)  # fmt: skip
# A blow that comes after the end is dealt again, earlier.
TRIES = 3
# Kinds that treat Snakemake or the machine, not the stage: trainings, and one that is none.
WIDER = ("corpus", "pretrain", "track", "adapt", "render")


def plan(moments: int) -> Iterator[tuple[str, Stage, Callable[[Tree, float], Fate]]]:
    """(name, stage, what is done to a tree at a moment) of every case."""
    for stage in STAGES:
        for number in (signal.SIGKILL, signal.SIGTERM):
            for moment in range(moments):
                yield f"{stage.name} {number.name} {moment + 1}", stage, _bind(cases.killed, stage, number)
    for stage in (stage for stage in STAGES if stage.name in WIDER):
        yield f"{stage.name} Ctrl-C", stage, _bind(cases.closed, stage, signal.SIGINT)
        yield f"{stage.name} terminal closed", stage, _bind(cases.closed, stage, signal.SIGHUP)
        yield f"{stage.name} Snakemake killed", stage, _bind(cases.orphaned, stage)
        yield f"{stage.name} power cut", stage, _bind(cases.power_cut, stage)
        yield f"{stage.name} two Snakemakes", stage, _bind(cases.twice, stage)
        yield f"{stage.name} full disk", stage, lambda tree, _, stage=stage: cases.full_disk(tree, stage)
        yield f"{stage.name} read-only", stage, lambda tree, _, stage=stage: cases.read_only(tree, stage)


def _bind(kind: Callable[..., Fate], stage: Stage, *more: Any) -> Callable[[Tree, float], Fate]:
    return lambda tree, moment: kind(tree, stage, moment, *more)


def run(file: Path, work: Path, only: list[str], cores: int, moments: int = 3) -> dict[str, Any]:
    """Run the cases that `file` has no row of; `only` keeps those whose name holds one of these words.

    Raises:
        EmotagError: the undisturbed run fails.
    """
    found = json.loads(file.read_text()) if file.is_file() else {"rows": {}}
    tree = undisturbed(Path.cwd(), work / "undisturbed", cores)
    wanted, seconds = tree.digests(), {stage.name: duration(tree, stage) for stage in STAGES}
    found |= {
        "commit": commit(),
        "machine": f"{os.cpu_count()} x {platform.machine()}",
        "cores": cores,
        "seconds": seconds,
    }
    for name, stage, kind in plan(moments):
        if name in found["rows"] or (only and not any(word in name for word in only)):
            continue
        began = time.monotonic()
        for tries in range(TRIES):
            spoilt = tree.copied(work / "tree")
            # A training's clock starts at its first words, after which half of its time is left at least.
            share = 0.5 if stage.state else 1.0
            fate = kind(spoilt, share * cases.moment_of(name, seconds[stage.name]) / 2**tries)
            if fate.suffered.code:
                break
        row = judge(name, stage, fate, wanted, spoilt.digests()) | {"took_s": round(time.monotonic() - began, 1)}
        found["rows"][name] = row
        write_json(file, found)
        log.info("%s: %s", name, row["fault"] or "same bytes")
        if row["fault"]:
            shutil.rmtree(work / name.replace(" ", "_"), ignore_errors=True)
            spoilt.path.rename(work / name.replace(" ", "_"))
    return found


def undisturbed(source: Path, folder: Path, cores: int) -> Tree:
    """The tree of a run that nothing happened to; made once."""
    tree = Tree(folder, cores)
    if (folder / "done").is_file():
        return tree
    shutil.rmtree(folder, ignore_errors=True)
    tree = Tree.of_this(source, folder, SETTINGS, cores)
    ended = tree.run("adapt_identity")
    if ended.code:
        raise EmotagError(f"{folder}: the undisturbed run ended with {ended.code}: {ended.said[-2000:]}")
    log.info("undisturbed run: %.0f s", ended.seconds)
    (folder / "done").touch()
    return tree


def duration(tree: Tree, stage: Stage) -> float:
    """Seconds of a stage in the undisturbed run."""
    name = f"{stage.job}@shared" if stage.name == "pretrain" else stage.job
    return float(json.loads((tree.results / "benchmarks" / f"{name}.jsonl").read_text().splitlines()[-1])["s"])


def judge(name: str, stage: Stage, fate: Fate, wanted: dict[str, str], found: dict[str, str]) -> dict[str, Any]:
    """A row: how it ended, and what was wrong ("" for nothing)."""
    faults = []
    if fate.after.code:
        faults.append(f"the run afterwards ended with {fate.after.code}: {_errors(fate.after)}")
    checked = wanted if "power cut" not in name else {f: wanted[f] for f in stage.files if f in wanted}
    differing = [file for file, digest in checked.items() if found.get(file) != digest]
    if differing:
        faults.append(f"other bytes: {', '.join(differing[:4])}")
    if fate.left:
        faults.append(f"left behind: {', '.join(fate.left[:4])}")
    if any(word in name for word in ("full disk", "read-only", "two Snakemakes")):
        if not fate.suffered.code:
            faults.append("was not refused")
        elif "Traceback" in fate.suffered.said:
            faults.append(f"was not told in a line: {_errors(fate.suffered)}")
    lost = lost_steps(fate)
    # A cut spoils the newest checkpoint as well: the one before it counts.
    allowed = stage.every * (2 if "power cut" in name else 1)
    if lost is not None and lost > allowed:
        faults.append(f"{lost} steps were lost, expected at most {allowed}")
    return {
        "fault": "; ".join(faults),
        "at_s": round(fate.at_s, 2),
        "in_time": bool(fate.suffered.code),
        "reached": fate.reached,
        "resumed": fate.resumed,
        "lost_steps": lost,
        "said": _errors(fate.suffered),
    }


def lost_steps(fate: Fate) -> int | None:
    """Steps that were told of and were done again; None where it is no training or nothing had been told."""
    if fate.reached is None:
        return None
    phase, step, total = fate.reached
    if fate.resumed is None:
        return step
    if fate.resumed[0] == phase:
        return max(0, step - fate.resumed[1])
    return 0 if step == total else step


def _errors(ended: Ended) -> str:
    lines = [line.strip() for line in ended.said.splitlines()]
    told = [line for line in lines if line.startswith("error") or "Error" in line or "locked" in line]
    return " | ".join(dict.fromkeys(told))[:400]


def table(found: dict[str, Any]) -> str:
    """One line a stage: of how many cases of each kind how many ended with the same bytes, and the most steps lost."""
    cells: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name, row in found["rows"].items():
        stage, kind = _stage_and_kind(name)
        cells.setdefault(stage, {}).setdefault(kind, []).append(row)
    kinds = list(dict.fromkeys(_stage_and_kind(name)[1] for name, *_ in plan(1)))
    lines = [f"| stage | {' | '.join(kinds)} | most steps lost |", f"| --- |{' ---: |' * (len(kinds) + 1)}"]
    for stage in (stage.name for stage in STAGES if stage.name in cells):
        rows = [row for some in cells[stage].values() for row in some]
        lost = [row["lost_steps"] for row in rows if row["lost_steps"] is not None]
        told = [_share(cells[stage].get(kind, [])) for kind in kinds]
        lines.append(f"| {stage} | {' | '.join(told)} | {max(lost) if lost else ''} |")
    return "\n".join(lines)


def _stage_and_kind(case: str) -> tuple[str, str]:
    """Of a case's name, without the number of its moment."""
    stage, _, kind = case.partition(" ")
    return stage, kind.rstrip(" 123")


def _share(rows: list[dict[str, Any]]) -> str:
    """`2 of 3`; nothing for no cases."""
    good = sum(not row["fault"] and row["in_time"] for row in rows)
    return f"{good} of {len(rows)}" if rows else ""
