"""The prior that comes with the project, and whether a configuration can start from it.

Beside the file lies its card (JSON): the settings it was trained with, whom it holds, its sha256. What a configuration has to
have in common with the card is what the network's inputs and outputs mean; how long it was trained may differ.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from emotag.config import SpeechConfig
from emotag.errors import ConfigError
from emotag.io.artifact import read_json, write_atomic
from emotag.project import Config
from emotag.workflow.sources import closure

FOLDER = "data/priors"
PRIOR, CARD = "synthetic.safetensors", "synthetic.json"
ARTICULATION = "data/articulation/articulation.safetensors"
MEANING = {
    "head": ("model",),
    "speech": ("provider", "blocks", "model", "layer", "prosody"),
    "identity": ("provider",),
    "pretrain": ("ridge", "base_input", "latent", "gate", "residual", "modulation", "prosody"),
}
# All that shapes it: kept in the card, so that a test can tell when it is no longer what the code would train.
SHAPING = ("head", "speech", "identity", "emotion", "talkers", "synthetic_corpus", "pretrain")


@dataclass(frozen=True)
class Shipped:
    """A file and what its card says."""

    file: Path
    settings: dict[str, dict[str, Any]]
    people: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """What lies in a folder, or None where there is no card.

        Raises:
            ArtifactMismatch: the card is not one.
        """
        if not (folder / CARD).is_file():
            return None
        card = read_json(folder / CARD, "settings", "people")
        return cls(folder / PRIOR, card["settings"], tuple(card["people"]))

    def differences(self, config: Config) -> list[str]:
        """What a configuration has otherwise than the card, in words."""
        ours = settings_of(config)
        return [
            f"{section}.{name} is {ours[section][name]!r}, the shipped prior has {self.settings[section].get(name)!r}"
            for section, names in MEANING.items()
            for name in names
            if ours[section][name] != self.settings[section].get(name)
        ]

    def why_not(self, config: Config, person: str) -> list[str]:
        """Why an avatar of `person` should not begin with it."""
        clips = ["corpus.clips asks for a prior of other people"] if config.corpus.clips else []
        held = [f"it was trained on {person}, who is to be left out"] if person in self.people else []
        return [*self.differences(config), *clips, *held]


def articulation(config: Config) -> list[str]:
    """The network for lips beside the ridge, where an avatar may have one: it hears the default speech features alone."""
    usual = SpeechConfig().model_dump(exclude={"prosody", "folder"})
    heard = config.speech.model_dump(exclude={"prosody", "folder"}) == usual
    return [ARTICULATION] if config.adapt.articulation and heard else []


def training_code() -> list[str]:
    """`module@digest` lines of the code that makes the synthetic corpus and trains on it."""
    stages = ("corpus", "pretrain", "pretrain_rendered")
    return closure(*(f"emotag.stages.{name}" for name in stages), "emotag.methods.emotag")


def commit_of(folder: str) -> str:
    """Where the code of a folder stands in git, marked `-dirty` where it is changed; `unknown` without git."""
    described = ("git", "-C", folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    try:
        return subprocess.run(described, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def put(files: list[str], folder: Path, log: Path) -> None:
    """Copy what rule ship_prior made into the folder it is shipped in; `log` names the copies."""
    copies = [folder / Path(file).name for file in files]
    for file, copy in zip(files, copies, strict=True):
        write_atomic(copy, Path(file).read_bytes())
    write_atomic(log, "".join(f"{copy}\n" for copy in copies).encode())


def settings_of(config: Config) -> dict[str, dict[str, Any]]:
    """The settings that shape a prior."""
    return {section: getattr(config, section).model_dump(mode="json") for section in SHAPING}


def choose(config: Config, shipped: Shipped | None, person: str) -> tuple[Shipped | None, str]:
    """What an avatar of `person` begins with, by `prior.source`: the shipped prior, or None for one that is trained; and why.

    Raises:
        ConfigError: the shipped one is asked for and does not fit, or there is none.
    """
    if config.prior.source == "train":
        return None, "prior.source is train"
    reasons = ["there is none in data/priors"] if shipped is None else shipped.why_not(config, person)
    if reasons and config.prior.source == "shipped":
        raise ConfigError(
            f"prior.source is shipped, but {reasons[0]}; set prior.source to auto or train, or correct the setting"
        )
    return (None, reasons[0]) if reasons else (shipped, "it fits these settings")
