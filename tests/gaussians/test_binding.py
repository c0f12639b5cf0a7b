import pytest
import torch

from emotag.gaussians.binding import Binding, Offsets
from emotag.gaussians.placement import initialise
from emotag.gaussians.triangles import triangle_frames
from emotag.geometry.rotations import axis_angle_to_matrix, quaternion_to_matrix


@pytest.fixture
def scene(ball):
    """Cloud of 300 Gaussians with random local turns on the ball, float64, with its binding."""
    vertices, faces = ball
    everywhere = torch.ones(len(faces), dtype=torch.bool)
    cloud = initialise(vertices, faces, everywhere, 300, torch.rand(60, 3), torch.zeros(len(faces)), 1).double()
    random = torch.Generator().manual_seed(0)
    for parameter in (cloud.quaternion, cloud.mean, cloud.log_scale):
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=random, dtype=torch.float64)
    return cloud, Binding(cloud.triangle, faces), vertices


def covariances(splats):
    axes = quaternion_to_matrix(splats.quaternions) * splats.scales[..., None, :]
    return axes @ axes.transpose(-1, -2)


def test_frames_are_rotations_with_the_normal_outward(ball):
    vertices, faces = ball
    frames = triangle_frames(vertices, faces)
    eye = torch.eye(3, dtype=torch.float64).expand(len(faces), 3, 3)
    torch.testing.assert_close(frames.rotation.transpose(-1, -2) @ frames.rotation, eye)
    torch.testing.assert_close(torch.linalg.det(frames.rotation), torch.ones(len(faces), dtype=torch.float64))
    assert ((frames.rotation[..., 1] * frames.centre).sum(-1) > 0).all()


def test_size_of_a_known_triangle():
    vertices = torch.tensor([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [1.0, 2.0, 0.0]])
    frames = triangle_frames(vertices, torch.tensor([[0, 1, 2]]))
    assert frames.size.item() == pytest.approx((4 + 2) / 2)
    torch.testing.assert_close(frames.rotation[0, :, 1], torch.tensor([0.0, 0.0, 1.0]))


def test_rigid_motion_of_the_mesh_moves_the_gaussians_rigidly(scene):
    cloud, binding, vertices = scene
    turn = axis_angle_to_matrix(torch.tensor([[0.4, -0.9, 0.3], [0.0, 2.5, 0.2]], dtype=torch.float64))
    shift = torch.tensor([[0.1, 0.2, -0.9], [0.0, 0.0, -2.0]], dtype=torch.float64)[:, None]
    rest, moved = binding(cloud, vertices[None]), binding(cloud, vertices @ turn.transpose(-1, -2) + shift)
    torch.testing.assert_close(moved.means, rest.means @ turn.transpose(-1, -2) + shift)
    turned = turn[:, None] @ covariances(rest) @ turn[:, None].transpose(-1, -2)
    torch.testing.assert_close(covariances(moved), turned)


def test_growth_of_the_mesh_grows_the_gaussians(scene):
    cloud, binding, vertices = scene
    rest, grown = binding(cloud, vertices[None]), binding(cloud, 1.5 * vertices[None])
    torch.testing.assert_close(grown.means, 1.5 * rest.means)
    torch.testing.assert_close(grown.scales, 1.5 * rest.scales)


def test_mean_is_equation_7(scene, ball):
    cloud, binding, vertices = scene
    frames = triangle_frames(vertices, ball[1][cloud.triangle])
    expected = frames.size[:, None] * (frames.rotation @ cloud.mean[..., None]).squeeze(-1) + frames.centre
    torch.testing.assert_close(binding(cloud, vertices[None]).means[0], expected)


def test_gradients_are_finite_differences(scene):
    cloud, binding, vertices = scene

    def place(vertices):
        splats = binding(cloud, vertices)
        return splats.means, splats.scales

    assert torch.autograd.gradcheck(place, [vertices[None].requires_grad_()], fast_mode=True)
    splats = binding(cloud, vertices[None])
    sum(t.square().sum() for t in (splats.means, splats.quaternions, splats.scales, splats.opacities)).backward()
    assert all(
        getattr(cloud, name).grad.isfinite().all() for name in ("mean", "quaternion", "log_scale", "opacity_logit")
    )
    assert cloud.mean.grad.abs().min() > 0


def test_zero_offsets_change_nothing(scene):
    cloud, binding, vertices = scene
    index = torch.tensor([5, 2, 200])
    nothing = Offsets(index, *(torch.zeros(2, 3, size, dtype=torch.float64) for size in (3, 4, 3)))
    plain, moved = binding(cloud, vertices.expand(2, -1, -1)), binding(cloud, vertices.expand(2, -1, -1), None, nothing)
    for name in ("means", "quaternions", "scales"):
        torch.testing.assert_close(getattr(moved, name), getattr(plain, name))


def test_offsets_act_in_the_heads_frame_and_on_their_gaussians_alone(scene):
    cloud, binding, vertices = scene
    turn = axis_angle_to_matrix(torch.tensor([[0.0, 0.5, 0.0]], dtype=torch.float64))
    index = torch.tensor([5, 2])
    shift = torch.tensor([[[0.01, 0.0, 0.0], [0.0, 0.02, 0.0]]], dtype=torch.float64)
    quaternion = torch.tensor([[[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]], dtype=torch.float64)
    offsets = Offsets(index, shift, quaternion, torch.full((1, 2, 3), 0.5, dtype=torch.float64))
    posed = vertices @ turn.transpose(-1, -2)
    plain, moved = binding(cloud, posed, turn), binding(cloud, posed, turn, offsets)
    change = moved.means - plain.means
    torch.testing.assert_close(change[:, index], shift @ turn.transpose(-1, -2))
    assert change.norm(dim=-1).count_nonzero() == 2
    torch.testing.assert_close(moved.scales[:, index], plain.scales[:, index] * torch.tensor(0.5).double().exp())
    # (1, 1, 0, 0) is a quarter turn: the angle between the two rotations' matrices.
    between = quaternion_to_matrix(plain.quaternions[0, 5]).T @ quaternion_to_matrix(moved.quaternions[0, 5])
    assert torch.trace(between).item() == pytest.approx(1.0, abs=1e-9)
    assert torch.equal(moved.orientation, turn) and not moved.orientation.requires_grad


def test_fused_kernel_is_the_torch_binding(scene):
    cloud, binding, vertices = scene
    random = torch.Generator().manual_seed(1)
    posed = vertices + 0.01 * torch.randn(2, 60, 3, generator=random, dtype=torch.float64)
    weights = [torch.randn(2, 300, size, generator=random, dtype=torch.float64) for size in (3, 4, 3)]
    results = []
    for dtype in (torch.float64, torch.float32):
        leaf = posed.to(dtype, copy=True).requires_grad_()
        own = cloud.select(torch.arange(300)).to(dtype)
        splats = binding(own, leaf)
        placed = (splats.means, splats.quaternions, splats.scales)
        # The sign of a quaternion is free: compare in one half space.
        signs = [1.0, placed[1].detach()[..., :1].sign(), 1.0]
        loss = sum((w.to(dtype) * s * p).sum() for w, s, p in zip(weights, signs, placed, strict=True))
        loss.backward()
        gradients = [leaf.grad, own.mean.grad, own.quaternion.grad, own.log_scale.grad]
        results.append([*(s * p.detach() for s, p in zip(signs, placed, strict=True)), *gradients])
    for truth, fused in zip(*results, strict=True):
        assert (fused.double() - truth).norm() / truth.norm() < 2e-5
