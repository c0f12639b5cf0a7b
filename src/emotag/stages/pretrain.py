"""Prior in motion space: a closed-form ridge, and the gated residual motion network on top of it.

Reads: one Corpus or several, which count as one, and the actors' where there are any; a clip at a time, so that memory does
not grow with them. Writes: a Prior. State (checkpoints, progress) goes below `state`. The base branch is kept where it beats
the ridge on left-out real people; otherwise it is shut and the ridge alone articulates. Residual, latent and gate learn
emotion from the actors in any case: with the ridge they may only add what is slow, so that lips stay the ridge's.
"""

import logging
from pathlib import Path

import numpy as np
import torch

from emotag import methods, stage
from emotag.artifacts import Corpus, Prior
from emotag.config import PretrainConfig
from emotag.motion import channels, corpora, prior, scores, statistics
from emotag.motion.examples import StoredExample, examples_of
from emotag.motion.grmn import Architecture, GatedResidualMotionNetwork
from emotag.training import emotion
from emotag.training.checkpoint import StateFolder, fingerprint
from emotag.training.loop import train
from emotag.training.motion_batches import MotionBatches
from emotag.training.progress import Progress
from emotag.training.selection import KeepBest

log = logging.getLogger(__name__)

# Of correlation, on left-out real people. Left-out synthetic talkers are no witnesses, because what a network learns beyond
# the ridge there is how synthetic speech sounds: a perceptron on the same inputs takes their lip aperture from .79 to .87
# and loses .74 to .70 on 16 real people the while (.71 with strong noise on its inputs).
MARGIN = 0.01
SCORE_EVERY, PATIENCE = 25, 3


def run(
    *,
    corpus: list[Path],
    actors: list[Path],
    out: Path,
    state: Path,
    config: PretrainConfig,
    method: str = "emotag",
    threads: int = 1,
) -> None:
    """Fit the prior. `actors`: none or one corpus whose voices carry what faces show (`emotag.stages.actors`). `state` is the
    folder for checkpoints; a killed run resumes from it."""
    torch.set_num_threads(threads)
    parts = [Corpus.open(path) for path in corpus]
    real = {person for part in parts if not corpora.is_synthetic(part) for person in part.people.values()}
    material = corpora.join(parts)
    upper = channels.upper_face(material.motion_names)
    training, left_out = split_people(material.people, real)
    torch.manual_seed(config.seed)
    network = methods.load(method).motion_network(architecture_of(material, config))
    prior.fit_inputs(network, material, training)
    pooled, people = statistics.of_people(material.motion, material.action_units, material.people, upper)
    network.set_statistics(prior.pooled_statistics(pooled, people))
    seen, unseen = (examples_of(material, clips, network.space, people) for clips in (training, left_out))
    if config.ridge:
        prior.fit_ridge(network, seen, upper)
    lip_weights = pooled * channels.lips(material.motion_names)
    found = {"left_out_people": sorted({material.people[clip] for clip in left_out})}
    found["ridge"] = scores.lip_score(network, unseen, lip_weights)
    # Whatever it learns of talkers made by code, the network is shut for want of a witness: not worth its minutes.
    if config.iterations and (real or not config.ridge):
        name = fingerprint(config.model_dump(mode="json"), stage.code(f"emotag.methods.{method}"), corpus)
        with StateFolder(state, name) as folder:
            found |= train_network(network, seen, unseen, lip_weights, folder, config, method)
    witnessed = real.issuperset(found["left_out_people"])
    better = witnessed and found.get("network", -1.0) > found["ridge"] + MARGIN
    found["network_used"] = not config.ridge or better
    if not found["network_used"]:
        log.info("no network beats the ridge on left-out real people: its base branch is shut, and so is what it added")
        network.shut()
    if config.ridge:
        prior.fit_ridge(network, [*seen, *unseen], upper)
        for path in actors if config.emotion_iterations and config.residual == "emotion" else ():
            name = fingerprint(config.model_dump(mode="json"), stage.code(f"emotag.methods.{method}"), [*corpus, path])
            with StateFolder(state / "emotion", name) as folder:
                trained = emotion.PARTS if found["network_used"] else emotion.ALL
                found["emotion"] = emotion.train_emotion(
                    network, Corpus.load(path), upper, trained, folder, config, methods.load(method)
                )
    log.info("lip correlation in motion space on left-out people: %s", found)
    Prior(
        material.head_model,
        list(material.motion_names),
        network.arrays(),
        network.architecture.plain(),
        found,
        sorted(people),
    ).save(out, stage.provenance())


def split_people(people: dict[str, str], real: set[str]) -> tuple[list[str], list[str]]:
    """Clips of the people to train on and of those left out: every sixth of the `real` people, at least one of three or
    more; where there are fewer than three of them, of all people."""
    names = sorted(real if len(real) > 2 else set(people.values()))
    left_out = set(names[2::6]) if len(names) > 2 else set()
    training = sorted(clip for clip, person in people.items() if person not in left_out)
    return training, sorted(clip for clip, person in people.items() if person in left_out) or training


def architecture_of(corpus: Corpus, config: PretrainConfig) -> Architecture:
    """Sizes from the corpus, variants from the settings."""
    clip = min(corpus.motion)
    return Architecture(
        channels=len(corpus.motion_names),
        features=corpus.features[clip].shape[1],
        identity=len(corpus.identity[clip]),
        base_input=config.base_input,
        latent=config.latent,
        gate=config.gate,
        residual=config.residual,
        modulation=config.modulation,
        prosody=config.prosody,
        windows=config.windows,
    )


def train_network(
    network: GatedResidualMotionNetwork,
    seen: list[StoredExample],
    unseen: list[StoredExample],
    lip_weights: np.ndarray,
    folder: StateFolder,
    config: PretrainConfig,
    method: str,
) -> dict[str, float]:
    """Train on `seen`, keep what did best on `unseen`; the network changes in place. Returns scores."""
    chosen = methods.load(method)
    # Lips count twice; dead channels (a scale at its floor) carry noise alone and count for nothing.
    weight = np.where(lip_weights > 0, 2.0, 1.0) * (network.statistics().scale > 2 * statistics.FLOOR)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    objective = chosen.prior_objective(torch.from_numpy((weight / weight.mean()).astype(np.float32)).to(device))
    nobody = network.space.identity_mean.clone()
    batches = MotionBatches(seen, config.batch_windows, config.window_frames, nobody, device=device)
    watched = [example.first(10) for example in unseen]
    # Long trainings have long plateaus.
    patience = max(PATIENCE, config.iterations // (3 * SCORE_EVERY))
    best = KeepBest(lambda model: scores.lip_score(model, watched, lip_weights), SCORE_EVERY, patience)
    phases = chosen.prior_phases(config, objective, batches, (best,))
    network.to(device).train()
    train(network, phases, folder, Progress(folder.progress, "prior"), seed=config.seed, checkpoint_every=50)
    best.restore_best(network)
    network.cpu().eval()
    return {"network": scores.lip_score(network, unseen, lip_weights), "best_step": best.best_step}


if __name__ == "__main__":
    stage.main(run, gpu=True)
