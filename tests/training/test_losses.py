"""Losses against scipy and closed forms."""

import numpy as np
import torch
from scipy.stats import entropy

from emotag.training import losses


def test_divergence_equals_scipy():
    teacher = torch.distributions.Dirichlet(torch.ones(7)).sample((20,)).double()
    logits = torch.randn(20, 7, dtype=torch.float64)
    expected = np.mean([entropy(p, q) for p, q in zip(teacher.numpy(), logits.softmax(-1).numpy(), strict=True)])
    assert np.isclose(float(losses.emotion_divergence(teacher, logits)), expected)


def test_divergence_of_a_certain_teacher_is_finite_and_zero_at_agreement():
    teacher = torch.eye(7)[:1]
    logits = torch.randn(1, 7, requires_grad=True)
    loss = losses.emotion_divergence(teacher, logits)
    loss.backward()
    assert torch.isclose(loss, -torch.log_softmax(logits, -1)[0, 0])
    assert torch.isfinite(logits.grad).all()
    even = torch.full((1, 7), 1 / 7)
    assert losses.emotion_divergence(even, torch.zeros(1, 7)).abs() < 1e-6


def test_score_compares_the_gate_with_the_intensity():
    gate, neutral = torch.tensor([[0.25], [1.0]]), torch.tensor([0.75, 0.5])
    assert torch.isclose(losses.gate_score(gate, neutral), torch.tensor(0.125))


def test_velocity_ignores_offsets_and_weighs_channels():
    target = torch.randn(2, 5, 3)
    assert losses.velocity_square(target + 4, target, torch.ones(3)) < 1e-10
    ramp = torch.arange(5.0)[:, None].expand(5, 3)
    weights = torch.tensor([2.0, 1.0, 0.0])
    assert torch.isclose(losses.velocity_square(ramp, torch.zeros(5, 3), weights), torch.tensor(1.0))


def test_hinges_are_zero_inside_and_linear_outside():
    assert losses.position_hinge(torch.tensor([[1.0, -1.0, 0.3]])) == 0
    assert torch.isclose(losses.position_hinge(torch.tensor([[-4.0, 5.0, 0.0]])), torch.tensor(5.0))
    assert torch.isclose(losses.scale_hinge(torch.tensor([[0.6, 0.1, 1.6], [0.0, 0.0, 0.0]])), torch.tensor(0.5))


def test_fused_hinge_is_the_one_of_torch():
    random = torch.Generator().manual_seed(0)
    values = 2 * torch.randn(200, 3, generator=random, dtype=torch.float64)
    values[0] = 0
    counted = torch.rand(200, generator=random) < 0.7
    for rows in (None, counted, torch.zeros(200, dtype=torch.bool)):
        found = []
        for dtype in (torch.float64, torch.float32):
            leaf = values.to(dtype, copy=True).requires_grad_()
            loss = losses.beyond(leaf, 1.0, rows)
            (3 * loss).backward()
            found.append((loss.detach().double(), leaf.grad.double()))
        if rows is None or rows.any():
            for truth, fused in zip(*found, strict=True):
                torch.testing.assert_close(fused, truth, rtol=1e-5, atol=1e-8)
        else:
            # No Gaussian, no penalty (a mean over none would not be a number).
            assert found[1][0] == 0 and not found[1][1].any()
