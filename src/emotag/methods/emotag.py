"""EmoTaG-style talking head, written from the paper: gated residual motion, emotion guidance, AdaIN adaptation.

Source: EmoTaG (2026), Secs. 3.3 and 3.4. Where paper and released code differ the paper is followed; what departs from
both is listed in `METHOD.deviations`.
"""

from collections.abc import Callable, Mapping

from torch import Tensor

from emotag.config import PretrainConfig
from emotag.methods.base import Method
from emotag.motion.grmn import GatedResidualMotionNetwork
from emotag.motion.mouth_field import MouthField
from emotag.training import losses
from emotag.training.loop import Group, Hook, Phase
from emotag.training.motion_batches import MotionBatch
from emotag.types import NEUTRAL

ADAIN = ("network.speech.adain.", "network.action_units.modulation.")
# About as many weights as AdaIN's (a test counts them), for the control of the ablation without it.
BACKBONE = ("network.backbone.0.", "network.backbone.2.", "network.backbone.4.", "network.base.")
# All but the layers that move the face: where these are shut, they stay so.
BESIDE_MOTION = (
    "network.speech.", "network.action_units.", "network.backbone.", "network.emotion.encoder.",
    "network.emotion.classifier.", "network.gate.", "mouth.",
)  # fmt: skip
# What listens, among the parameters of the motion network.
LISTENING = ("speech.", "backbone.")


def prior_objective(channel_weights: Tensor) -> Callable[[MotionBatch, GatedResidualMotionNetwork], dict[str, Tensor]]:
    """Losses of the prior in motion space: motion and its velocity, L_KL (Eq. 12), L_score; `channel_weights` [C]."""

    def objective(batch: MotionBatch, network: GatedResidualMotionNetwork) -> dict[str, Tensor]:
        output = network.from_components(batch.components, batch.prosody, batch.cues, batch.identity)
        motion = output.motion.reshape(batch.target.shape)
        teacher = batch.emotion.flatten(0, 1)
        return {
            "motion": losses.weighted_square(motion, batch.target, channel_weights),
            "velocity": losses.velocity_square(motion, batch.target, channel_weights),
            "kl": losses.emotion_divergence(teacher, output.emotion),
            "score": losses.gate_score(output.gate, teacher[:, NEUTRAL]),
        }

    return objective


def loss_weights(config: PretrainConfig) -> Mapping[str, float]:
    """Weights by loss; the paper prints none for KL and score, 0.01 and 0.1 are the released code's."""
    return {"motion": 1.0, "velocity": 1.0, "kl": config.weight_kl, "score": config.weight_score}


def prior_phases(
    config: PretrainConfig, objective: Callable, batches: Callable, hooks: tuple[Hook, ...]
) -> tuple[Phase, ...]:
    """One phase: everything trains, AdamW (0.9, 0.99), the learning rate falls to a tenth."""
    return (
        Phase(
            "prior",
            config.iterations,
            objective,
            batches,
            groups=(Group(("",), config.learning_rate),),
            weights=loss_weights(config),
            hooks=hooks,
            clip_norm=1.0,
        ),
    )


def emotion_objective(
    channel_weights: Tensor,
) -> Callable[[MotionBatch, GatedResidualMotionNetwork], dict[str, Tensor]]:
    """Losses of residual, latent and gate: what the ridge leaves of acted motion, L_KL (Eq. 12), L_score; weights [C]."""

    def objective(batch: MotionBatch, network: GatedResidualMotionNetwork) -> dict[str, Tensor]:
        output = network.from_components(batch.components, batch.prosody, batch.cues, batch.identity)
        added = (output.gate * output.residual).reshape(batch.target.shape)
        teacher = batch.emotion.flatten(0, 1)
        return {
            "residual": losses.weighted_square(added, batch.target, channel_weights),
            "kl": losses.emotion_divergence(teacher, output.emotion),
            "score": losses.gate_score(output.gate, teacher[:, NEUTRAL]),
        }

    return objective


def emotion_phases(
    config: PretrainConfig, objective: Callable, batches: Callable, prefixes: tuple[str, ...], hooks: tuple[Hook, ...]
) -> tuple[Phase, ...]:
    """One phase: AdamW (0.9, 0.99) on the parameters under `prefixes`, those that listen ten times slower than the others:
    there are few voices to learn from.

    The weights of KL and score stand beside a picture's loss of some hundredths elsewhere; here the residual's is about 1,
    and they are taken as many times larger that their defaults count 1 as well.
    """
    return (
        Phase(
            "emotion",
            config.emotion_iterations,
            objective,
            batches,
            groups=tuple(Group((p,), config.learning_rate * (0.1 if p in LISTENING else 1.0)) for p in prefixes),
            hooks=hooks,
            weights={"residual": 1.0, "kl": 100 * config.weight_kl, "score": 10 * config.weight_score},
            clip_norm=1.0,
        ),
    )


METHOD = Method(
    name="emotag",
    source="EmoTaG (2026), from the paper",
    deviations=(
        "closed-form ridge from speech to lower face and from action-unit cues to upper face under the base branch",
        "temporal context by attention pooling of one centred window; no averaging of motions over windows",
        "instance norm over the window's own tokens; scale is 1 + gamma",
        "action-unit features are modulated without normalisation (one vector has no time axis)",
        "mouth offsets of rotation and scale centred on the identity; dense tri-plane instead of a hash grid",
        "Gaussians for hair beyond the mesh by a plane sweep; neck and hanging hair stay with the trunk by a share",
        "head poses corrected while Gaussians are fitted, and refined against the finished avatar before it is driven",
        "residual, latent and gate are trained on what the ridge leaves over, slow in time and in units of their own",
        "AdaIN stays as it is in adaptation where they were learnt so: pictures of five seconds would open the gate",
        "prior trained in motion space against the tracked motion (weight 1), with its velocity, before its rendered phase",
        "weights 0.01 (KL) and 0.1 (score) as in the released code; the paper prints none",
    ),
    motion_network=GatedResidualMotionNetwork,
    mouth_field=MouthField,
    prior_objective=prior_objective,
    prior_phases=prior_phases,
    emotion_objective=emotion_objective,
    emotion_phases=emotion_phases,
    adapt_scopes={
        "adain": ADAIN,
        "adain+mouth": (*ADAIN, "mouth."),
        "mouth": ("mouth.",),
        "backbone": BACKBONE,
        "gaussians": (),
    },
    rendered_scopes={"all": ("network.", "mouth."), "shut": BESIDE_MOTION},
)
