"""What every head model must do; run on each model there is."""

import pytest
import torch

from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head.landmark_sets import INNER_LIP_PAIRS, LEFT_LID_PAIRS, OUTER_EYE_CORNERS, RIGHT_LID_PAIRS

NAMES = {
    "skin", "lips", "mouth_interior", "teeth", "tongue", "eyeballs", "eyelids", "lashes", "brows", "scalp", "ears",
    "neck", "face",
}  # fmt: skip


def parameters(head, count=1, seed=None, dtype=torch.float32):
    """Zero parameters, or random ones in range."""
    generator = torch.Generator().manual_seed(seed or 0)
    scale = 0.0 if seed is None else 1.0

    def draw(size, deviation):
        return scale * deviation * torch.randn(count, size, generator=generator, dtype=dtype)

    return {
        "shape": draw(head.shape_size, 0.7),
        "expression": draw(len(head.expression_names), 0.3).abs(),
        "jaw": draw(3, 0.1).abs() * torch.tensor([1.0, 0.3, 0.0], dtype=dtype),
        "neck": draw(3, 0.05),
        "eyes": draw(6, 0.15),
        "rotation": draw(3, 0.3),
        "translation": draw(3, 0.05) - torch.tensor([0.0, 0.0, 0.7], dtype=dtype),
    }


class HeadModelConformance:
    """Subclass and offer a fixture `head`."""

    def test_neutral_faces_the_camera_in_metres(self, head):
        vertices = head.vertices(**parameters(head))[0]
        extent = vertices.amax(0) - vertices.amin(0)
        assert vertices.shape[1] == 3 and 0.15 < extent[1] < 0.5
        points = head.landmarks(vertices[None])[0]
        nose, chin, right, left = points[4], points[152], *points[list(OUTER_EYE_CORNERS)]
        assert nose[2] > points[[234, 454], 2].max() + 0.05
        assert chin[1] < nose[1] < right[1]
        assert right[0] < nose[0] < left[0]

    def test_translation_moves_everything_alike(self, head):
        values = parameters(head, seed=1)
        moved = values | {"translation": values["translation"] + torch.tensor([[0.1, -0.2, -0.3]])}
        difference = head.vertices(**moved) - head.vertices(**values)
        assert torch.allclose(difference, torch.tensor([0.1, -0.2, -0.3]).expand_as(difference), atol=1e-6)

    def test_rotation_is_rigid_off_the_neck(self, head):
        values = parameters(head, seed=2)
        still = head.vertices(**(values | {"rotation": torch.zeros(1, 3)})) - values["translation"][:, None]
        turned = head.vertices(**values) - values["translation"][:, None]
        rigid = ~head.vertex_regions["neck"] & (head.root_share == 1)
        assert rigid.float().mean() > 0.7
        expected = still @ axis_angle_to_matrix(values["rotation"]).transpose(1, 2)
        assert torch.allclose(turned[:, rigid], expected[:, rigid], atol=1e-6)

    def test_a_batch_is_its_rows(self, head):
        values = parameters(head, count=3, seed=3)
        single = torch.cat([head.vertices(**{k: v[i : i + 1] for k, v in values.items()}) for i in range(3)])
        assert torch.allclose(head.vertices(**values), single, atol=1e-6)

    def test_one_shape_serves_a_batch(self, head):
        values = parameters(head, count=3, seed=4)
        one = values["shape"][:1]
        shared = head.vertices(**(values | {"shape": one}))
        assert torch.allclose(shared, head.vertices(**(values | {"shape": one.expand(3, -1)})), atol=1e-6)

    def test_shape_and_expression_add_up(self, head):
        zero = parameters(head)
        one, two = parameters(head, seed=5), parameters(head, seed=6)
        for name in ("shape", "expression", "jaw"):
            base = head.vertices(**zero)
            first = head.vertices(**(zero | {name: one[name]})) - base
            second = head.vertices(**(zero | {name: two[name]})) - base
            both = head.vertices(**(zero | {name: one[name] + 2 * two[name]})) - base
            assert torch.allclose(both, first + 2 * second, atol=1e-6), name

    @pytest.mark.parametrize("name", ["shape", "expression", "jaw", "neck", "eyes", "rotation", "translation"])
    def test_gradients_are_finite_differences(self, head, name):
        values = parameters(head, seed=7)
        weights = torch.randn(head.vertices(**values).shape, generator=torch.Generator().manual_seed(8))
        direction = torch.randn(values[name].shape, generator=torch.Generator().manual_seed(9))
        if name == "jaw":
            direction[:, 2] = 0
        at = values[name].clone().requires_grad_()
        (head.vertices(**(values | {name: at})) * weights).sum().backward()
        step = 1e-2
        ends = [head.vertices(**(values | {name: values[name] + s * step * direction})) for s in (1, -1)]
        numeric = ((ends[0].double() - ends[1].double()) * weights).sum() / (2 * step)
        assert (at.grad * direction).sum().item() == pytest.approx(numeric.item(), rel=2e-2, abs=2e-3)

    def test_regions(self, head):
        assert set(head.face_regions) >= NAMES and set(head.vertex_regions) >= NAMES
        for regions, count in ((head.face_regions, len(head.faces)), (head.vertex_regions, len(head.neutral))):
            assert all(mask.shape == (count,) and mask.any() for mask in regions.values())
            total = torch.stack([mask for name, mask in regions.items() if name != "face"]).sum(0)
            assert (total == 1).all()

    def test_every_face_has_an_area(self, head):
        corners = head.vertices(**parameters(head))[0][head.faces]
        area = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).norm(dim=1)
        assert (area > 1e-12).all()

    def gap(self, head, pairs, **changes):
        points = head.landmarks(head.vertices(**(parameters(head) | changes)))[0]
        upper, lower = torch.tensor(pairs).unbind(1)
        return (points[upper] - points[lower]).norm(dim=1).mean().item()

    def units(self, head, *names):
        expression = torch.zeros(1, len(head.expression_names))
        expression[:, [head.expression_names.index(name) for name in names]] = 1
        return expression

    def test_jaw_opens_the_inner_lips(self, head):
        closed = self.gap(head, INNER_LIP_PAIRS)
        opened = self.gap(head, INNER_LIP_PAIRS, jaw=torch.tensor([[head.jaw_limits[0], 0, 0]]))
        assert closed < 0.004 and opened > closed + 0.012

    def test_blink_closes_the_lids(self, head):
        for pairs, name in ((RIGHT_LID_PAIRS, "eyeBlinkRight"), (LEFT_LID_PAIRS, "eyeBlinkLeft")):
            upper, lower = torch.tensor(pairs[1:6]).unbind(1)
            changes = ({}, {"expression": self.units(head, name)})
            points = [head.landmarks(head.vertices(**(parameters(head) | change)))[0, :, 1] for change in changes]
            opening = [height[upper] - height[lower] for height in points]
            # At 1 the upper lid reaches the lower one or passes it (people with wider eyes need all of it).
            assert (opening[0] > 0.004).all() and (opening[1] < 0.1 * opening[0]).all()

    def test_eyes_turn_about_their_centres(self, head):
        down = torch.tensor([[0.2, 0, 0, 0, 0, 0]])
        before, after = (head.vertices(**(parameters(head) | change))[0] for change in ({}, {"eyes": down}))
        left = head.vertex_regions["eyeballs"] & (before[:, 0] > 0)
        assert torch.allclose(before[left].mean(0), after[left].mean(0), atol=1e-6)
        front = before[left][:, 2].argmax()
        radius = (before[left][front] - before[left].mean(0)).norm()
        assert (after[left][front] - before[left][front])[1] == pytest.approx(-radius.item() * 0.1987, rel=0.1)
        right = head.vertex_regions["eyeballs"] & (before[:, 0] < 0)
        assert torch.equal(before[right], after[right])

    def test_action_units(self, head):
        rest = head.action_units(torch.zeros(1, len(head.expression_names)), torch.zeros(1, 3))
        assert rest.shape == (1, len(head.action_unit_names)) and (rest == 0).all()
        blink = head.action_units(self.units(head, "eyeBlinkLeft", "eyeBlinkRight"), torch.zeros(1, 3))[0]
        assert blink[head.action_unit_names.index("AU45")] == 5 and blink.sum() == 5


class TestMakeHuman(HeadModelConformance):
    pass
