"""AdaIN against its closed form."""

import torch

from emotag.motion.adain import EPSILON, AdaIN, Modulation, instance_norm


def test_instance_norm_has_zero_mean_and_unit_variance_over_tokens():
    tokens = torch.randn(5, 16, 7) * 3 + 2
    out = instance_norm(tokens)
    assert torch.allclose(out.mean(1), torch.zeros(5, 7), atol=1e-6)
    assert torch.allclose(out.var(1, unbiased=False), torch.ones(5, 7), atol=1e-4)


def test_matches_torch_instance_norm():
    tokens = torch.randn(4, 16, 6)
    expected = torch.nn.functional.instance_norm(tokens.transpose(1, 2), eps=EPSILON).transpose(1, 2)
    assert torch.allclose(instance_norm(tokens), expected, atol=1e-6)


def test_starts_as_the_plain_instance_norm_for_every_identity():
    tokens = torch.randn(3, 16, 8)
    assert torch.equal(AdaIN(10, 8)(tokens, torch.randn(3, 10)), instance_norm(tokens))


def test_closed_form_of_scale_and_offset():
    module = Modulation(4, 2)
    with torch.no_grad():
        module.last.bias.copy_(torch.tensor([0.5, -1.0, 3.0, 0.25]))
    features = torch.randn(6, 5, 2)
    expected = features * torch.tensor([1.5, 0.0]) + torch.tensor([3.0, 0.25])
    assert torch.allclose(module(features, torch.randn(6, 4)), expected)


def test_batch_has_no_influence():
    module = AdaIN(10, 8)
    torch.nn.init.normal_(module.modulation.last.weight)
    tokens, identity = torch.randn(6, 16, 8), torch.randn(6, 10)
    alone = module(tokens[2:3], identity[2:3])
    assert torch.allclose(module(tokens, identity)[2:3], alone, atol=1e-4)
