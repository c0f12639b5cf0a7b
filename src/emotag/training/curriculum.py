"""The prior's rendered phase: every person's own Gaussians with one motion network and one mouth field (EmoTaG, Sec. 3.4).

A step is about one person drawn at random and a few of their frames; its objective is adaptation's. People differ by their
Gaussians, pose corrections, motion space and mouth positions; all weights of the networks are shared.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from emotag.config import RenderedConfig
from emotag.gaussians.cloud import GaussianCloud
from emotag.gaussians.deformer import RiggedDeformer, mouth_points
from emotag.head.base import HeadModel
from emotag.motion.grmn import GatedResidualMotionNetwork
from emotag.motion.mouth_field import MouthField, canonical_positions
from emotag.motion.statistics import MotionStatistics
from emotag.training.adaptation import ADAM_EPSILON, GAUSSIAN_RATES, JOINT_FINAL, POSE_RATES, STATIC_FINAL
from emotag.training.appearance import PoseCorrection, Scene, loss_weights
from emotag.training.loop import Group, Phase
from emotag.training.person import Person

# Of the mouth field's position encoding over the networks' rate: the released code trains its grids so much faster.
ENCODING_RATE = 10.0
Batch = tuple[int, Tensor]


@dataclass(frozen=True)
class Part:
    """One person's view of the company, in the form of an `AdaptedAvatar`."""

    deformer: RiggedDeformer
    network: GatedResidualMotionNetwork
    cloud: GaussianCloud
    pose: PoseCorrection

    @property
    def mouth(self) -> MouthField:
        """The shared field at this person's positions."""
        return self.deformer.mouth


class Company(nn.Module):
    """Several people: `network` and `mouth` are shared, `clouds` and `poses` are each person's own."""

    def __init__(self, network: GatedResidualMotionNetwork, mouth: MouthField) -> None:
        super().__init__()
        self.network = network
        self.mouth = mouth
        self.clouds = nn.ModuleList()
        self.poses = nn.ModuleList()
        self.parts: list[Part] = []

    def join(self, head: HeadModel, person: Person, cloud: GaussianCloud, statistics: MotionStatistics) -> None:
        """One more, with a `cloud` of their own and the `statistics` of their motion."""
        positions = canonical_positions(mouth_points(head, person.shape, cloud))
        deformer = RiggedDeformer(head, person.shape, cloud, self.mouth.at(positions), person.trunk)
        pose = PoseCorrection(len(person.frames))
        self.clouds.append(cloud)
        self.poses.append(pose)
        self.parts.append(Part(deformer, self.network.speaking(statistics), cloud, pose))

    def __len__(self) -> int:
        return len(self.parts)


def draws(lengths: Sequence[int], size: int) -> Callable[[torch.Generator], Batch]:
    """A random person and random frames [size] of theirs, without repetition; `lengths` in frames, one a person."""

    def draw(generator: torch.Generator) -> Batch:
        who = int(torch.randint(len(lengths), (), generator=generator))
        return who, torch.randperm(lengths[who], generator=generator)[:size]

    return draw


def own_groups(count: int, factor: float, final: float) -> Iterator[Group]:
    """The optimiser groups of everybody's Gaussians and pose corrections."""
    for name, rate in (GAUSSIAN_RATES | POSE_RATES).items():
        owner, parameter = name.split(".")
        prefixes = tuple(f"{owner}s.{number}.{parameter}" for number in range(count))
        yield Group(prefixes, factor * rate, final)


def shared_groups(trained: Sequence[str], rate: float) -> Iterator[Group]:
    """The groups of the shared weights under the prefixes `trained`: the mouth field's grids learn faster."""
    encoding = "mouth.encoding."
    if others := tuple(name for name in trained if not encoding.startswith(name)):
        yield Group(others, rate, 0.1)
    if any(encoding.startswith(name) for name in trained):
        yield Group((encoding,), ENCODING_RATE * rate, 0.1)
        yield Group(("mouth.base.", "mouth.residual."), rate, 0.1)


def phases(scenes: Sequence[Scene], config: RenderedConfig, trained: Sequence[str]) -> tuple[Phase, ...]:
    """`static`: everybody's Gaussians on tracked motion; `joint`: with the shared weights under the prefixes `trained`."""

    def static(batch: Batch, company: Company) -> dict[str, Tensor]:
        return scenes[batch[0]].static(batch[1], company.parts[batch[0]])

    def joint(batch: Batch, company: Company) -> dict[str, Tensor]:
        return scenes[batch[0]].joint(batch[1], company.parts[batch[0]])

    count = len(scenes)
    batches = draws([len(scene.footage) for scene in scenes], config.batch_frames)
    common = {"batches": batches, "weights": loss_weights(config), "epsilon": ADAM_EPSILON}
    still = tuple(own_groups(count, 1.0, STATIC_FINAL))
    later = tuple(own_groups(count, STATIC_FINAL, JOINT_FINAL / STATIC_FINAL))
    networks = tuple(shared_groups(trained, config.learning_rate))
    return (
        Phase("static", config.static_iterations * count, static, groups=still, **common),
        Phase("joint", config.iterations, joint, groups=(*later, *networks), **common),
    )
