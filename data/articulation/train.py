"""Trained the articulation beside it: speech to lips, on made-up words in eight languages read by espeak-ng.

    PYTHONPATH=src python data/articulation/train.py --model data/assets/whisper_tiny_en.bin --out data/articulation

Only this tool and data/takes/make.py open espeak-ng (GPL-3, an optional program). Words are drawn letter by letter, each
after the two before it, as in the sentences beside this file: of sentences alone the network learns the sentences (aperture
of unseen voices 0.96, of unseen text 0.81). Lips are those that the phones ask for (`emotag.synthetic.visemes`).
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from emotag import stage
from emotag.artifacts import Articulation
from emotag.audio import speech, windows
from emotag.config import SpeechConfig
from emotag.motion.closed_form import principal_components
from emotag.motion.skip import taps
from emotag.synthetic.augmentation import augmented
from emotag.synthetic.talker import SPREAD
from emotag.synthetic.visemes import lip_track
from emotag.types import FPS

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "takes"))
import make  # noqa: E402

SEED = 0
VOICES = ("en-us", "en-gb-x-rp", "en-gb-scotland", "de", "fr", "es", "it", "pt-br", "nl", "pl")
TIMBRES = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5")
# Who reads in data/takes and data/moods is heard by nothing that is judged on them.
SPARED = frozenset(speaker[0] for speaker in (*make.SPEAKERS, *make.MOODS))
SHARE_OF_SENTENCES = 0.2
WORDS, LETTERS, LONGEST = (3, 8), (2, 11), 9
BEFORE = 2
COMPONENTS, WIDTH = 128, 512
# Readings whose features span the components.
SPANNING = 300
EPOCHS, BATCH, RATE = 10, 512, 2e-3
# Of an input's deviation: of each input alone, and of each component in all taps alike, as another voice or room has it.
NOISE, ROOM = 0.2, 0.12
DROPOUT = (0.1, 0.3, 0.3)


@cache
def sentences_of(language: str) -> list[str]:
    """The sentences of a language of espeak-ng (`pt-br`, `en-us`)."""
    texts = json.loads((HERE / "sentences.json").read_text(encoding="utf-8"))
    return texts.get(language) or texts[language.split("-")[0]]


@cache
def letters_after(language: str) -> dict[str, str]:
    """What follows each two letters in the words of a language; ^ begins and $ ends a word."""
    followers: dict[str, str] = {}
    for word in " ".join(sentences_of(language)).lower().split():
        spelt = "^" * BEFORE + "".join(letter for letter in word if letter.isalpha()) + "$"
        for place in range(BEFORE, len(spelt)):
            pair = spelt[place - BEFORE : place]
            followers[pair] = followers.get(pair, "") + spelt[place]
    return followers


def made_up_word(random: np.random.Generator, language: str) -> str:
    """A word that looks like one of the language."""
    followers = letters_after(language)
    while True:
        word = "^" * BEFORE
        while word[-1] != "$" and len(word) <= BEFORE + LETTERS[1]:
            choice = followers[word[-BEFORE:]]
            word += choice[random.integers(len(choice))]
        spelt = word[BEFORE:].rstrip("$")
        if LETTERS[0] <= len(spelt) <= LETTERS[1]:
            return spelt


def texts(random: np.random.Generator, language: str) -> list[str]:
    """What a reading is begun with: sentences in a random order, or made of made-up words."""
    if random.random() < SHARE_OF_SENTENCES:
        return [str(text) for text in random.permutation(sentences_of(language))]
    return [
        " ".join(made_up_word(random, language) for _ in range(random.integers(*WORDS))) + "." for _ in range(LONGEST)
    ]


def reading(engine: make.Engine, number: int) -> tuple[np.ndarray, list]:
    """Sound at 16 kHz in a random room, and the phones, of reading `number`: a voice in a mood."""
    random = np.random.default_rng([SEED, number])
    while True:
        voice = str(random.choice(VOICES)) + "+" + str(random.choice(TIMBRES))
        emotion = str(random.choice(list(make.PROSODY)))
        level = 0 if emotion == "neutral" else int(random.integers(1, 4))
        speaker = (voice, int(random.integers(140, 185)), int(random.integers(30, 66)))
        if voice in SPARED or not engine.has(voice):
            continue
        audio, facts = make.take(engine, speaker, emotion, level, texts(random, voice.split("+")[0]))
        return augmented(audio, random), facts["phones"]


class Listener:
    """Readings by number, with the speech encoder's features; one a process."""

    def __init__(self, model: Path) -> None:
        torch.set_num_threads(1)
        self.engine, self.encoder = make.Engine(), speech.load(model, SpeechConfig())

    def __call__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Features [K, D] at 50 Hz in half precision, and lip measures [T, 4] around their mean."""
        audio, phones = reading(self.engine, number)
        lips = lip_track(phones, np.arange(int(phones[-1][1] * FPS)) / FPS)
        features = self.encoder.features(audio, str(number))
        return np.asarray(features, np.float16), np.asarray(lips - lips.mean(0), np.float32)


_listener: list[Listener] = []


def _begin(model: Path) -> None:
    _listener.append(Listener(model))


def _heard(number: int) -> tuple[np.ndarray, np.ndarray]:
    return _listener[0](number)


def readings(model: Path, count: int, processes: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All readings in order, made by several processes."""
    with get_context("spawn").Pool(processes, _begin, (model,)) as pool:
        for number, heard in enumerate(pool.imap(_heard, range(count), 8), 1):
            if number % 200 == 0:
                print(f"{number} of {count} readings", flush=True)
            yield heard


class Examples:
    """Frames of readings in components [n, 7 P] and lip measures [n, 4]; the first readings span the components."""

    def __init__(self, heard: Iterator[tuple[np.ndarray, np.ndarray]], count: int) -> None:
        first = [reading for reading, _ in zip(heard, range(min(SPANNING, count)), strict=False)]
        rows = np.concatenate([features[::5] for features, _ in first]).astype(np.float64)
        self.mean, self.basis = principal_components(rows, np.ones(len(rows)), COMPONENTS)
        pairs = [self._frames(*reading) for reading in (*first, *heard)]
        self.inputs, self.targets = (torch.cat(parts) for parts in zip(*pairs, strict=True))

    def _frames(self, features: np.ndarray, lips: np.ndarray) -> tuple[Tensor, Tensor]:
        components = ((features.astype(np.float64) - self.mean) @ self.basis).astype(np.float32)
        heard = windows.between_tokens(components, windows.frame_times(np.arange(len(lips))))
        return taps(torch.from_numpy(heard)).half(), torch.from_numpy(lips)


def train(inputs: Tensor, targets: Tensor) -> nn.Sequential:
    """Three layers on noisy inputs, least squares; targets of unit deviation."""
    torch.manual_seed(SEED)
    sizes = (inputs.shape[1], WIDTH, WIDTH, targets.shape[1])
    layers: list[nn.Module] = []
    for number, (inside, outside) in enumerate(zip(sizes, sizes[1:], strict=False)):
        layers += [nn.Dropout(DROPOUT[number]), nn.Linear(inside, outside), nn.GELU()]
    network = nn.Sequential(*layers[:-1])
    steps = EPOCHS * len(inputs) // BATCH
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.05)
    course = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    deviation = inputs[::7].float().std(0)
    for step in range(steps):
        rows = torch.randint(len(inputs), (BATCH,))
        clean = inputs[rows].float()
        room = torch.randn(BATCH, 1, COMPONENTS).expand(-1, clean.shape[1] // COMPONENTS, -1).flatten(1)
        noisy = clean + deviation * (NOISE * torch.randn_like(clean) + ROOM * room)
        loss = (network(noisy) - targets[rows]).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        course.step()
        if step % 1000 == 0:
            print(f"step {step} of {steps}: {loss.item():.3f}", flush=True)
    return network.eval()


def arrays_of(network: nn.Sequential, examples: Examples) -> dict[str, np.ndarray]:
    """As `emotag.motion.articulation` names them; matrices in half precision, measures in outer-eye distances."""
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    last = linear[-1]
    with torch.no_grad():
        spread = torch.from_numpy(SPREAD.astype(np.float32))
        last.weight.mul_(spread[:, None])
        last.bias.mul_(spread)
    named: Sequence[tuple[str, np.ndarray]] = [
        (f"{name}{number}", getattr(layer, name).detach().numpy())
        for number, layer in enumerate(linear)
        for name in ("weight", "bias")
    ]
    halved = {name: array.astype(np.float16) if array.ndim > 1 else array for name, array in named}
    return halved | {"mean": examples.mean.astype(np.float32), "basis": examples.basis.astype(np.float16)}


def main() -> None:
    """Make the readings, train on them, write the articulation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="the speech model of the default settings")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--readings", type=int, default=6000)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    examples = Examples(readings(asked.model, asked.readings, asked.processes), asked.readings)
    deviation = examples.targets.std(0)
    network = train(examples.inputs, examples.targets / deviation)
    Articulation(
        arrays=arrays_of(network, examples),
        speech_provider=SpeechConfig().provider,
        speech_revision=speech.revision(asked.model, SpeechConfig()),
        readings=asked.readings,
        seed=SEED,
    ).save(asked.out / "articulation.safetensors", stage.provenance())


if __name__ == "__main__":
    main()
