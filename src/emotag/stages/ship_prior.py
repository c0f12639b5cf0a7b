"""A prior made small enough to come with the project, and its card.

Reads: a Prior. Writes: the same Prior with its matrices in half precision (but for input statistics and the ridge), the card as
JSON and as a page. On five people that moves the lips by a ten-thousandth of their deviation.
"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from emotag import stage
from emotag.artifacts import Prior
from emotag.errors import ArtifactMismatch
from emotag.io.artifact import write_atomic, write_json
from emotag.report import model_card

# Of a git forge's and of a package index's patience.
MOST_BYTES = 10_000_000
# Small numbers, or the scales of others: not rounded.
EXACT = ("space.", "skip.speech_weight", "skip.cue_weight", "skip.cue_moment")


def run(*, prior: Path, settings: str, made_of: str, commit: str, out: Path, out_card: Path, out_page: Path) -> None:
    """Round, write, and say what it is. `settings` (JSON) shaped the prior, `made_of` (JSON) are digests of the code that
    made it, `commit` is where that code stands.

    Raises:
        ArtifactMismatch: the file is larger than may be shipped.
    """
    given = Prior.load(prior)
    network = {name: value if name.startswith(EXACT) else rounded(value) for name, value in given.network.items()}
    mouth = {name: rounded(value) for name, value in given.mouth.items()}
    replace(given, network=network, mouth=mouth).save(out, stage.provenance())
    size = out.stat().st_size
    if size > MOST_BYTES:
        raise ArtifactMismatch(f"{out}: has {size} bytes, expected at most {MOST_BYTES}; ship a smaller network")
    card = card_of(given, out, json.loads(settings), json.loads(made_of), commit)
    write_json(out_card, card)
    write_atomic(out_page, model_card.page(card).encode())


def rounded(values: np.ndarray) -> np.ndarray:
    """Matrices and larger in half precision, where they are numbers it has; vectors as they are."""
    small = values.dtype == np.float32 and values.ndim > 1 and np.abs(values).max() < np.finfo(np.float16).max
    return values.astype(np.float16) if small else values


def card_of(prior: Prior, file: Path, settings: dict[str, Any], made_of: list[str], commit: str) -> dict[str, Any]:
    """What the card says."""
    return {
        "file": file.name,
        "bytes": file.stat().st_size,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "commit": commit,
        "code": made_of,
        "settings": settings,
        "head_model": prior.head_model,
        "channels": len(prior.motion_names),
        "parameters": sum(int(value.size) for value in (*prior.network.values(), *prior.mouth.values())),
        "people": prior.people,
        "scores": prior.scores,
    }


if __name__ == "__main__":
    stage.main(run)
