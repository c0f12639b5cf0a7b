"""Batches in motion space: runs of neighbouring frames from clips of many people."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from emotag.motion.examples import Clip
from emotag.types import FPS


@dataclass(frozen=True)
class MotionBatch:
    """W runs of R neighbouring frames: `components` [W R, 16, P], `prosody` [W R, 16, 3], `cues` [W R, 6], `identity`
    [W R, I], `target` [W, R, C], `emotion` [W, R, 7]."""

    components: Tensor
    prosody: Tensor
    cues: Tensor
    identity: Tensor
    target: Tensor
    emotion: Tensor

    def to(self, device: torch.device) -> "MotionBatch":
        """The same batch on a device."""
        return MotionBatch(*(getattr(self, field.name).to(device) for field in fields(self)))


@dataclass(frozen=True)
class Augmentation:
    """Per run: `noise` on each component, `offset` of each component, `gain` (log) of all, deviations in units of a
    component's root mean square. `no_identity`: share of runs whose identity is the corpus' mean, so that a network
    trained on few people does not learn them by heart."""

    noise: float = 0.1
    offset: float = 0.1
    gain: float = 0.1
    no_identity: float = 0.5


@dataclass(frozen=True)
class MotionBatches:
    """Draws batches: a clip with probability in proportion to its length, ten seconds at most, then a place in it.

    `identity_mean` [I] is the identity feature of nobody in particular. Batches are drawn on the CPU, so that every
    device sees the same ones, and handed over on `device`. Only the frames of a batch are read.
    """

    examples: Sequence[Clip]
    runs: int
    frames: int
    identity_mean: Tensor
    augmentation: Augmentation = Augmentation()
    device: torch.device = torch.device("cpu")

    def __call__(self, generator: torch.Generator) -> MotionBatch:
        """One batch; everything random comes from `generator`."""
        weights = torch.tensor([float(min(len(example), 10 * FPS)) for example in self.examples])
        chosen = torch.multinomial(weights, self.runs, replacement=True, generator=generator)
        parts = [self._run(self.examples[int(index)], generator) for index in chosen]
        joined = [torch.cat(columns) for columns in list(zip(*parts, strict=True))[:4]]
        stacked = [torch.stack(columns) for columns in list(zip(*parts, strict=True))[4:]]
        return MotionBatch(*joined, *stacked).to(self.device)

    def _run(self, clip: Clip, generator: torch.Generator) -> tuple[Tensor, ...]:
        last = len(clip) - self.frames
        start = int(torch.randint(max(last, 0) + 1, (1,), generator=generator))
        run = clip.read(start, start + self.frames)
        # A clip shorter than a run repeats its last frame.
        frames = torch.arange(self.frames).clamp_max(len(run) - 1)
        known = torch.rand(1, generator=generator) >= self.augmentation.no_identity
        identity = torch.where(known, run.identity, self.identity_mean).expand(self.frames, -1)
        components = self._augmented(run.components[frames], generator)
        return (
            components,
            run.prosody[frames],
            run.cues[frames],
            identity,
            run.target[frames],
            run.emotion[frames],
        )

    def _augmented(self, components: Tensor, generator: torch.Generator) -> Tensor:
        a = self.augmentation
        noise = torch.randn(components.shape, generator=generator) * a.noise
        offset = torch.randn(components.shape[-1], generator=generator) * a.offset
        gain = torch.exp(torch.randn(1, generator=generator) * a.gain)
        # Components differ in strength by orders of magnitude: the disturbance follows each one's own.
        strength = components.std((0, 1))
        return components * gain + (noise + offset) * strength
