"""What every head model must do; run on each model there is."""

import pytest
import torch

from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head.arkit import ArkitHead
from emotag.head.base import HeadModel
from emotag.head.landmark_sets import IBUG_68, INNER_LIP_PAIRS, LEFT_LID_PAIRS, OUTER_EYE_CORNERS, RIGHT_LID_PAIRS
from emotag.head.regions import PARTS

NAMES = {*PARTS, "face"}


def parameters(head, count=1, seed=None, dtype=torch.float32):
    """Zero parameters, or random ones in range (of both signs where the expression has them)."""
    generator = torch.Generator().manual_seed(seed or 0)
    scale = 0.0 if seed is None else 1.0

    def draw(size, deviation):
        return scale * deviation * torch.randn(count, size, generator=generator, dtype=dtype)

    lower, upper = head.expression_limits
    expression = draw(len(head.expression_names), 0.3)
    return {
        "shape": draw(head.shape_size, 0.7),
        "expression": torch.where(lower < 0, expression, expression.abs()),
        "jaw": draw(3, 0.1).abs() * torch.tensor([1.0, 0.3, 0.0], dtype=dtype),
        "neck": draw(3, 0.05),
        "eyes": draw(6, 0.15),
        "rotation": draw(3, 0.3),
        "translation": draw(3, 0.05) - torch.tensor([0.0, 0.0, 0.7], dtype=dtype),
    }


class HeadModelConformance:
    """What holds for every head model. Subclass and offer a fixture `model`; `absent` are regions it does not have."""

    absent = ()

    def test_has_all_of_the_protocol(self, model):
        members = {*HeadModel.__annotations__, *(name for name in vars(HeadModel) if not name.startswith("_"))}
        assert not [name for name in members if not hasattr(model, name)]
        assert model.uv.shape == (len(model.faces), 3, 2)
        assert len(model.eyeballs) == 2 and model.neutral[model.eyeballs[0], 0].mean() > 0

    def test_landmarks_are_on_the_surface(self, model):
        table = model.embedding
        assert (
            torch.allclose(table.barycentric.sum(1), torch.ones(478), atol=1e-5) and (table.barycentric > -1e-6).all()
        )
        faces = {tuple(sorted(face)) for face in model.faces.tolist()}
        assert all(tuple(sorted(triangle)) in faces for triangle in table.triangles.tolist())
        assert (table.spread > 0).all() and table.spread.max() < 0.01
        assert model.vertex_regions["eyeballs"][table.triangles[468:]].all()
        points = model.landmarks(model.neutral[None])[0]
        assert torch.pdist(points[list(IBUG_68)]).min() > 1e-4

    def test_limits_are_soft(self, model):
        lower, upper = model.expression_limits
        inside = lower + (upper - lower) * torch.linspace(0, 1, 11)[:, None]
        assert torch.equal(model.soft_limits(inside), inside)
        for end, far in ((lower, -99.0), (upper, 99.0)):
            beyond = (model.soft_limits(far * torch.ones(1, len(lower)))[0] - end).abs() / (upper - lower)
            assert (beyond > 0.01).all() and (beyond < 0.06).all()

    def test_eyelid_channels_are_units_or_declared_absent(self, model):
        assert len(model.eyelid_units) in (0, 2) and set(model.eyelid_units) <= set(model.expression_names)

    def test_neutral_faces_the_camera_in_metres(self, model):
        vertices = model.vertices(**parameters(model))[0]
        extent = vertices.amax(0) - vertices.amin(0)
        assert vertices.shape[1] == 3 and 0.15 < extent[1] < 0.5
        points = model.landmarks(vertices[None])[0]
        nose, chin, right, left = points[4], points[152], *points[list(OUTER_EYE_CORNERS)]
        assert nose[2] > points[[234, 454], 2].max() + 0.05
        assert chin[1] < nose[1] < right[1]
        assert right[0] < nose[0] < left[0]

    def test_translation_moves_everything_alike(self, model):
        values = parameters(model, seed=1)
        moved = values | {"translation": values["translation"] + torch.tensor([[0.1, -0.2, -0.3]])}
        difference = model.vertices(**moved) - model.vertices(**values)
        assert torch.allclose(difference, torch.tensor([0.1, -0.2, -0.3]).expand_as(difference), atol=1e-6)

    def test_rotation_is_rigid_off_the_neck(self, model):
        values = parameters(model, seed=2)
        still = model.vertices(**(values | {"rotation": torch.zeros(1, 3)})) - values["translation"][:, None]
        turned = model.vertices(**values) - values["translation"][:, None]
        rigid = ~model.vertex_regions["neck"] & (model.root_share == 1)
        assert rigid.float().mean() > 0.7
        expected = still @ axis_angle_to_matrix(values["rotation"]).transpose(1, 2)
        assert torch.allclose(turned[:, rigid], expected[:, rigid], atol=1e-6)

    def test_a_batch_is_its_rows(self, model):
        values = parameters(model, count=3, seed=3)
        single = torch.cat([model.vertices(**{k: v[i : i + 1] for k, v in values.items()}) for i in range(3)])
        assert torch.allclose(model.vertices(**values), single, atol=1e-6)

    def test_one_shape_serves_a_batch(self, model):
        values = parameters(model, count=3, seed=4)
        one = values["shape"][:1]
        shared = model.vertices(**(values | {"shape": one}))
        assert torch.allclose(shared, model.vertices(**(values | {"shape": one.expand(3, -1)})), atol=1e-6)

    def test_shape_adds_up(self, model):
        self.adds_up(model, ("shape",))

    def adds_up(self, model, names):
        zero = parameters(model)
        one, two = parameters(model, seed=5), parameters(model, seed=6)
        for name in names:
            base = model.vertices(**zero)
            first = model.vertices(**(zero | {name: one[name]})) - base
            second = model.vertices(**(zero | {name: two[name]})) - base
            both = model.vertices(**(zero | {name: one[name] + 2 * two[name]})) - base
            assert torch.allclose(both, first + 2 * second, atol=1e-6), name

    @pytest.mark.parametrize("name", ["shape", "expression", "jaw", "neck", "eyes", "rotation", "translation"])
    def test_gradients_are_finite_differences(self, model, name):
        values = parameters(model, seed=7)
        weights = torch.randn(model.vertices(**values).shape, generator=torch.Generator().manual_seed(8))
        direction = torch.randn(values[name].shape, generator=torch.Generator().manual_seed(9))
        if name == "jaw":
            direction[:, 2] = 0
        at = values[name].clone().requires_grad_()
        (model.vertices(**(values | {name: at})) * weights).sum().backward()
        step = 1e-2
        ends = [model.vertices(**(values | {name: values[name] + s * step * direction})) for s in (1, -1)]
        numeric = ((ends[0].double() - ends[1].double()) * weights).sum() / (2 * step)
        assert (at.grad * direction).sum().item() == pytest.approx(numeric.item(), rel=2e-2, abs=2e-3)

    def test_regions(self, model):
        assert set(model.face_regions) >= NAMES and set(model.vertex_regions) >= NAMES
        for regions, count in ((model.face_regions, len(model.faces)), (model.vertex_regions, len(model.neutral))):
            for name, mask in regions.items():
                assert mask.shape == (count,) and (mask.any() or name in self.absent), name
            total = torch.stack([mask for name, mask in regions.items() if name != "face"]).sum(0)
            assert (total == 1).all()

    def test_every_face_has_an_area(self, model):
        corners = model.vertices(**parameters(model))[0][model.faces]
        area = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).norm(dim=1)
        assert (area > 1e-12).all()

    def gap(self, model, pairs, **changes):
        points = model.landmarks(model.vertices(**(parameters(model) | changes)))[0]
        upper, lower = torch.tensor(pairs).unbind(1)
        return (points[upper] - points[lower]).norm(dim=1).mean().item()

    def test_jaw_opens_the_inner_lips(self, model):
        closed = self.gap(model, INNER_LIP_PAIRS)
        opened = self.gap(model, INNER_LIP_PAIRS, jaw=torch.tensor([[model.jaw_limits[0], 0, 0]]))
        assert closed < 0.004 and opened > closed + 0.012

    def test_jaw_moves_lower_teeth_alone(self, model):
        jaw = torch.tensor([[model.jaw_limits[0], 0, 0]])
        before, after = (model.vertices(**(parameters(model) | change))[0] for change in ({}, {"jaw": jaw}))
        moved = (after - before).norm(dim=1)[model.vertex_regions["teeth"]]
        assert 0.2 < (moved > 5e-3).float().mean() < 0.8 and 0.2 < (moved < 1e-4).float().mean()

    def test_eyes_turn_about_their_centres(self, model):
        down = torch.tensor([[0.2, 0, 0, 0, 0, 0]])
        before, after = (model.vertices(**(parameters(model) | change))[0] for change in ({}, {"eyes": down}))
        left = model.vertex_regions["eyeballs"] & (before[:, 0] > 0)
        assert torch.allclose(before[left].mean(0), after[left].mean(0), atol=1e-6)
        front = before[left][:, 2].argmax()
        radius = (before[left][front] - before[left].mean(0)).norm()
        assert (after[left][front] - before[left][front])[1] == pytest.approx(-radius.item() * 0.1987, rel=0.1)
        right = model.vertex_regions["eyeballs"] & (before[:, 0] < 0)
        assert torch.equal(before[right], after[right])

    def test_action_units_rest_at_zero_and_see_the_jaw(self, model):
        rest = model.action_units(torch.zeros(1, len(model.expression_names)), torch.zeros(1, 3))
        assert rest.shape == (1, len(model.action_unit_names)) and (rest == 0).all()
        wide = torch.tensor([[model.jaw_limits[0], 0, 0]])
        opened = model.action_units(torch.zeros(1, len(model.expression_names)), wide)[0]
        assert opened[model.action_unit_names.index("AU26")] > 3.5 and opened[model.action_unit_names.index("AU45")] < 1


class ArkitConformance(HeadModelConformance):
    """What holds for head models with ARKit-named units as well."""

    def test_expression_and_jaw_add_up(self, model):
        self.adds_up(model, ("expression", "jaw"))

    def units(self, model, *names):
        expression = torch.zeros(1, len(model.expression_names))
        expression[:, [model.expression_names.index(name) for name in names]] = 1
        return expression

    def test_blink_closes_the_lids(self, model):
        for pairs, name in ((RIGHT_LID_PAIRS, "eyeBlinkRight"), (LEFT_LID_PAIRS, "eyeBlinkLeft")):
            upper, lower = torch.tensor(pairs[1:6]).unbind(1)
            changes = ({}, {"expression": self.units(model, name)})
            points = [model.landmarks(model.vertices(**(parameters(model) | change)))[0, :, 1] for change in changes]
            opening = [height[upper] - height[lower] for height in points]
            # At 1 the upper lid reaches the lower one or passes it (people with wider eyes need all of it).
            assert (opening[0] > 0.004).all() and (opening[1] < 0.1 * opening[0]).all()

    def test_a_blink_is_its_action_unit(self, model):
        rest = model.action_units(torch.zeros(1, len(model.expression_names)), torch.zeros(1, 3))
        assert rest.shape == (1, len(model.action_unit_names)) and (rest == 0).all()
        blink = model.action_units(self.units(model, "eyeBlinkLeft", "eyeBlinkRight"), torch.zeros(1, 3))[0]
        assert blink[model.action_unit_names.index("AU45")] == 5 and blink.sum() == 5


class TestMakeHuman(ArkitConformance):
    @pytest.fixture
    def model(self, head_data):
        return ArkitHead(head_data)


class TestIct(ArkitConformance):
    @pytest.fixture
    def model(self, ict_head):
        return ict_head


class TestFlame(HeadModelConformance):
    absent = ("tongue", "lashes")

    @pytest.fixture
    def model(self, flame_head):
        return flame_head
