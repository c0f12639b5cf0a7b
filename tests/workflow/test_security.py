"""Names and paths stay inside results, nothing reaches a shell unquoted, and one person can be forgotten, with Snakemake
itself."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import yaml

from emotag.io.video import write_video

ROOT = Path(__file__).resolve().parents[2]
# Placeholders of shell commands that may stand unquoted: names that match the wildcards' patterns, and numbers.
SAFE = {
    "threads", "wildcards.identity", "wildcards.clip", "wildcards.drive", "wildcards.variant", "wildcards.name",
    "wildcards.edition", "params.talker", "params.take",
    "params.clip", "params.clips", "params.people", "params.start_s", "params.seconds", "params.self_driven",
    "params.seed", "params.preset",
}  # fmt: skip
NASTY = {
    "command": "$(touch made).mp4",
    "backticks": "`touch made`.mp4",
    "semicolon": "a; touch made;.mp4",
    "quotes": 'it\'s "me".mp4',
    "ampersand": "a && touch made &.mp4",
    "pipe and star": "a | touch made > b * ? [x].mp4",
    "leading dash": "--out-video.mp4",
    "variable": "$HOME ~ !!.mp4",
    "backslash": "a\\n\\.mp4",
    "spaces": "  my   film .mp4",
    "beyond ASCII": "Märchen 人 🎬.mp4",
    "percent": "%s %(x)s.mp4",
}
OUTSIDE = [
    "results/clips/../../made/crop.mp4",
    "results/identities/a;touch made/subject.safetensors",
    "data/assets/../../made",
    "/etc/made/crop.mp4",
]


def config(path: Path, crop: dict | None = None, **entry: object) -> None:
    person = {"source": "$(touch made) {x}", "licence": "';touch made;'", "consent": '"`touch made`"', **entry}
    tree = {"identities": {"me": person}, "adapt": {"identity": "me"}, "crop": crop or {}}
    path.write_text(yaml.safe_dump(tree, allow_unicode=True))


def test_every_placeholder_of_a_shell_command_is_quoted_or_cannot_need_it():
    for rules in sorted((ROOT / "rules").glob("*.smk")):
        for command in re.findall(r"    shell:\n((?:        \".*\"\n)+)", rules.read_text()):
            bare = {field for field in re.findall(r"(?<!{){([^{}:]+)}", command)}
            assert bare <= SAFE, (rules.name, bare - SAFE)


def test_a_file_name_is_data_in_a_dry_run(shared_copy):
    """Snakemake prints the commands it would run: read as a shell reads them, each name is one word as it is."""
    clips = {f"c{index}": name for index, name in enumerate(NASTY.values())}
    for name in clips.values():
        (shared_copy.path / name).touch()
    config(shared_copy.path / "mine.yaml", clips=clips, adapt_on={"clip": "c0"})
    targets = [f"results/clips/{clip}/crop.mp4" for clip in clips]
    targets.append("results/identities/me/drives/self-c1/avatar/video.mp4")
    done = shared_copy.snakemake("-n", "-p", "--configfile", "mine.yaml", "--", *targets)
    assert done.returncode == 0, done.stdout
    commands = [line for line in done.stdout.splitlines() if "emotag.stages.crop" in line]
    seen = {words[words.index("--video") + 1] for words in map(shlex.split, commands)}
    assert seen == set(clips.values())
    [render] = [shlex.split(line) for line in done.stdout.splitlines() if "emotag.stages.render" in line]
    facts = json.loads(render[render.index("--facts") + 1])
    assert (facts["source"], facts["consent"]) == ("$(touch made) {x}", '"`touch made`"')
    assert not list(shared_copy.path.rglob("made"))


@pytest.mark.parametrize("target", OUTSIDE)
def test_no_target_leads_out_of_the_results(shared_copy, target):
    done = shared_copy.snakemake("-n", "--", target)
    assert done.returncode != 0 and "MissingRuleException" in done.stdout, done.stdout
    assert not list(shared_copy.path.rglob("made"))


def talking(path: Path) -> None:
    """A public-domain photograph that moves, with sound."""
    frames = [np.full((440, 560, 3), 110, np.uint8) for _ in range(30)]
    for k, frame in enumerate(frames):
        frame[20:420, 10 + 4 * k : 410 + 4 * k] = skimage.data.astronaut()[:400, 30:430]
    write_video(path, frames, audio=np.random.default_rng(0).normal(0, 0.1, 19_200))


def mentions(folder: Path, words: list[bytes]) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file() and "src" not in path.relative_to(folder).parts]
    return [str(path) for path in files if any(word in path.read_bytes() or word in bytes(path) for word in words)]


@pytest.mark.slow
def test_one_real_job_of_a_nasty_name_and_then_nothing_of_it(copy):
    name = 'it\'s $(touch made); `touch made` "人".mp4'
    talking(copy.path / name)
    config(copy.path / "mine.yaml", {"min_seconds": 1, "size_px": 128}, video=name)
    made = copy.snakemake("results/clips/me/crop.mp4", "--configfile", "mine.yaml")
    assert made.returncode == 0, made.stdout
    assert (copy.path / "results/clips/me/crop.mp4").is_file() and not list(copy.path.rglob("made"))

    for path in (copy.path / name, copy.path / "mine.yaml"):
        path.rename(copy.path.parent / path.name.replace("it's", "film"))
    gone = copy.snakemake("forget_identity", "--config", "forget=me")
    assert gone.returncode == 0, gone.stdout
    assert "results/clips/me" in gone.stdout and "are removed" in gone.stdout
    assert not list((copy.path / "results").rglob("*me*"))
    assert mentions(copy.path, [b"clips/me", b"touch made", "人".encode(), b"logs/crop/me"]) == []
