"""Batches of runs of frames."""

import torch

from emotag.motion.examples import Example
from emotag.training.motion_batches import Augmentation, MotionBatches


def example(frames, value):
    return Example(
        components=torch.arange(frames, dtype=torch.float32)[:, None, None].expand(frames, 16, 5) + value,
        prosody=torch.zeros(frames, 16, 3),
        cues=torch.zeros(frames, 6),
        target=torch.arange(frames, dtype=torch.float32)[:, None].expand(frames, 4) + value,
        emotion=torch.full((frames, 7), 1 / 7),
        identity=torch.ones(3),
        person=str(value),
    )


def draw(seed=0, **augmentation):
    quiet = {"noise": 0.0, "offset": 0.0, "gain": 0.0, "no_identity": 0.0} | augmentation
    batches = MotionBatches([example(40, 0), example(300, 1000)], 6, 12, torch.zeros(3), Augmentation(**quiet))
    return batches(torch.Generator().manual_seed(seed))


def test_runs_are_neighbouring_frames_of_one_clip_with_inputs_and_targets_together():
    batch = draw()
    assert batch.components.shape == (72, 16, 5) and batch.target.shape == (6, 12, 4)
    assert (batch.target.diff(dim=1) == 1).all()
    assert torch.equal(batch.components[:, 0, 0].view(6, 12), batch.target[..., 0])


def test_same_generator_same_batch():
    assert torch.equal(draw(3, noise=0.1).components, draw(3, noise=0.1).components)
    assert not torch.equal(draw(3, noise=0.1).components, draw(4, noise=0.1).components)


def test_identity_is_left_out_at_will():
    assert (draw(no_identity=0.0).identity == 1).all()
    assert (draw(no_identity=1.0).identity == 0).all()


def test_clip_shorter_than_a_run_repeats_its_last_frame():
    batch = MotionBatches([example(5, 0)], 1, 8, torch.zeros(3))(torch.Generator().manual_seed(0))
    assert batch.target[0, :, 0].tolist() == [0, 1, 2, 3, 4, 4, 4, 4]
