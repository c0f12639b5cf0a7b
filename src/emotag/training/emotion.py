"""Training of residual, latent and gate on acted emotion, the articulation standing still.

Cues are always given. Trained with half of them left out the network is no better than guessing in voices it does not know
(18 synthetic ones are too few), and takes calm cues for missing ones: its gate stands half open on calm speech.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from emotag.artifacts import Corpus
from emotag.config import PretrainConfig
from emotag.methods.base import Method
from emotag.motion import moods
from emotag.motion.examples import Example
from emotag.motion.grmn import GatedResidualMotionNetwork
from emotag.training.checkpoint import StateFolder
from emotag.training.loop import train
from emotag.training.losses import emotion_divergence
from emotag.training.motion_batches import MotionBatches
from emotag.training.progress import Progress
from emotag.training.selection import KeepBest

log = logging.getLogger(__name__)

# Parameters that train: all but the base branch's last layer or, where that branch is in use, what it does not read.
ALL = ("speech.", "action_units.", "backbone.", "emotion.", "gate.")
PARTS = ("action_units.", "emotion.", "gate.")
# Single frames of many clips say more than runs of few: what is learnt is slow.
FRAMES_A_BATCH = 6
# Left-out actors are looked at every so many steps, in every tenth frame; training ends after so many looks without a new best.
SCORE_EVERY, PATIENCE, STRIDE = 25, 6, 10
FRAMEWISE = ("components", "prosody", "cues", "target", "emotion")


def train_emotion(
    network: GatedResidualMotionNetwork,
    actors: Corpus,
    upper: np.ndarray,
    trained: tuple[str, ...],
    folder: StateFolder,
    config: PretrainConfig,
    method: Method,
) -> dict[str, Any]:
    """Train the parameters under `trained` in place, every sixth actor left out; returns their agreement with the teacher,
    with cues (`seen`) and without (`heard`). `upper` [C] as in `emotag.motion.channels`."""
    examples = moods.left_over(actors, network, upper)
    names = sorted({example.person for example in examples})
    left_out = set(names[2::6])
    learnt = [example for example in examples if example.person not in left_out]
    weights = moods.fit_scale(network, learnt)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    objective = method.emotion_objective(weights.to(device))
    nobody = network.space.identity_mean.clone()
    judged = [example for example in examples if example.person in left_out] or learnt
    few = [replace(example, **{name: getattr(example, name)[::STRIDE] for name in FRAMEWISE}) for example in judged]
    best = KeepBest(lambda model: -divergence(model, few), SCORE_EVERY, PATIENCE)
    batches = MotionBatches(learnt, FRAMES_A_BATCH * config.batch_windows, 1, nobody, device=device)
    phases = method.emotion_phases(config, objective, batches, trained, (best,))
    network.to(device).train()
    train(network, phases, folder, Progress(folder.progress, "emotion"), seed=config.seed, checkpoint_every=50)
    best.restore_best(network)
    network.cpu().eval().requires_grad_(False)
    moods.fit_moods(network, learnt)
    found = {name: moods.agreement(network, judged, cues) for name, cues in (("seen", True), ("heard", False))}
    found["best_step"] = best.best_step
    log.info("emotion of left-out actors against the teacher: %s", found)
    return found


def divergence(network: GatedResidualMotionNetwork, examples: Sequence[Example]) -> float:
    """KL of the teacher's distribution, nats a frame."""
    device = network.motion_mean.device
    network.eval()
    found = []
    with torch.inference_mode():
        for example in examples:
            inputs = (getattr(example, name).to(device) for name in ("components", "prosody", "cues", "identity"))
            logits = network.from_components(*inputs).emotion
            found.append(float(emotion_divergence(example.emotion.to(device), logits)))
    network.train()
    return float(np.mean(found))
