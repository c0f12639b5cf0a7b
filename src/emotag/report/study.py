"""The user study (EmoTaG's Table 4): one page that holds its clips, and a key that says what they are.

The page alone does not say which method made a clip: clips are named by number in a shuffled order, and their containers
are written anew, because the metadata of made videos says that they are made. Raters see them in an order of their own.
"""

import base64
import hashlib
import io
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from emotag.errors import FootageError
from emotag.io.video import open_media

TEMPLATE = "study.html"
QUESTIONS = (
    {"name": "emotion", "text": "How well does the face show the emotion that you hear?", "low": "not at all", "high": "fully"},
    {"name": "lip_sync", "text": "How well do the lips fit the sound?", "low": "not at all", "high": "fully"},
    {"name": "realism", "text": "How real does the video look?", "low": "not real", "high": "like a camera's"},
)  # fmt: skip
# A page beyond this size loads badly; browsers hold all of it in memory.
MOST_BYTES = 200_000_000


@dataclass(frozen=True)
class Clip:
    """A video that is rated: who made it (`method`) and what it shows (`content`: identity and drive)."""

    method: str
    content: str
    path: Path


def named(videos: Sequence[Path]) -> list[Clip]:
    """Clips by the places of their files: …/identities/<identity>/drives/<drive>/(<variant>/video.mp4|truth.mp4).

    Below …/variants/<name>/ the method is `<name>`.
    """
    clips = []
    for path in videos:
        drive = path.parent if path.name == "truth.mp4" else path.parent.parent
        method = "ground_truth" if path.name == "truth.mp4" else path.parent.name
        root = drive.parents[3]
        if root.parent.name == "variants":
            method = root.name
        clips.append(Clip(method, f"{drive.parent.parent.name}/{drive.name}", path))
    return clips


def without_metadata(path: Path) -> bytes:
    """The streams of a video as they are, in a new MP4 that says nothing of where they come from."""
    out = io.BytesIO()
    with open_media(path) as source, av.open(out, "w", format="mp4") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    return out.getvalue()


def study(clips: Sequence[Clip], seed: int) -> tuple[str, dict[str, Any]]:
    """The page as HTML, and the key {study, clips: {id: {method, content, sha256}}}.

    Raises:
        FootageError: there are no clips, or too many bytes of them for one page.
    """
    data = {clip: without_metadata(clip.path) for clip in clips}
    size = sum(map(len, data.values()))
    if not data or size > MOST_BYTES:
        raise FootageError(
            f"a user study needs between 1 byte and {MOST_BYTES // 10**6} MB of clips, found {size / 1e6:.1f} MB in "
            f"{len(data)} clips; choose other identities"
        )
    digests = {clip: hashlib.sha256(content).hexdigest() for clip, content in data.items()}
    # By content first: the order must not depend on how the paths were listed.
    order = sorted(clips, key=lambda clip: (clip.content, clip.method))
    random.Random(seed).shuffle(order)
    ids = {f"c{number:03d}": clip for number, clip in enumerate(order, 1)}
    name = hashlib.sha256(json.dumps([QUESTIONS, *(digests[clip] for clip in order)]).encode()).hexdigest()[:12]
    shown = {
        "id": name,
        "questions": QUESTIONS,
        "clips": {key: f"data:video/mp4;base64,{base64.b64encode(data[clip]).decode()}" for key, clip in ids.items()},
    }
    key = {
        "study": name,
        "questions": [question["name"] for question in QUESTIONS],
        "clips": {i: {"method": c.method, "content": c.content, "sha256": digests[c]} for i, c in ids.items()},
    }
    page = Path(__file__).with_name(TEMPLATE).read_text(encoding="utf-8")
    # "</" would end the script element; in JSON the slash may be escaped.
    return page.replace("@STUDY@", json.dumps(shown, sort_keys=True).replace("</", "<\\/")), key
