"""The schedule of adaptation as data: static appearance first, then Gaussians and the network's adaptive part."""

from collections.abc import Sequence

from emotag.config import AdaptConfig
from emotag.training.appearance import Scene, frame_batches, loss_weights
from emotag.training.loop import Group, Phase

# Of the Gaussians, in the units of their triangles; GaussianAvatars' ratios, raised for a run of hundreds of steps.
GAUSSIAN_RATES = {
    "cloud.mean": 5e-3, "cloud.quaternion": 2e-3, "cloud.log_scale": 1e-2, "cloud.opacity_logit": 3e-2, "cloud.sh": 5e-3,
}  # fmt: skip
# Of the pose corrections: rad and m.
POSE_RATES = {"pose.rotation": 1e-3, "pose.translation": 2e-4}
STATIC_FINAL = 0.2
JOINT_FINAL = 0.05
ADAM_EPSILON = 1e-15


def appearance_groups(factor: float, final: float) -> tuple[Group, ...]:
    """One optimiser group a parameter of the cloud and of the pose corrections."""
    rates = GAUSSIAN_RATES | POSE_RATES
    return tuple(Group((name,), factor * rate, final) for name, rate in rates.items())


def phases(scene: Scene, config: AdaptConfig, trained: Sequence[str]) -> tuple[Phase, ...]:
    """`static` on tracked motion, `joint` with the motion network; `trained` are prefixes of what `adapt.scope` frees
    of the networks (nothing: Gaussians alone)."""
    batches = frame_batches(len(scene.footage), config.batch_frames)
    shared = {"batches": batches, "weights": loss_weights(config), "epsilon": ADAM_EPSILON}
    networks = (Group(tuple(trained), config.learning_rate, 0.1),) if trained else ()
    return (
        Phase("static", config.static_iterations, scene.static, groups=appearance_groups(1.0, STATIC_FINAL), **shared),
        Phase(
            "joint",
            config.iterations,
            scene.joint,
            groups=(*appearance_groups(STATIC_FINAL, JOINT_FINAL / STATIC_FINAL), *networks),
            **shared,
        ),
    )
