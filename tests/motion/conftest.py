"""What several tests of motion share."""

import pytest
import torch

from emotag.motion.codes import Codes
from linear_corpus import linear_corpus


@pytest.fixture(scope="session")
def corpus():
    return linear_corpus()


@pytest.fixture(scope="session")
def random_codes():
    """Codes of `count` frames with `units` of expression and a condition of `width`, uniform in 0 to 1."""

    def make(count, units, width, seed):
        generator = torch.Generator().manual_seed(seed)
        sizes = {"expression": units, "jaw": 3, "neck": 3, "eyes": 6, "rotation": 3, "translation": 3}
        sizes |= {"gate": 1, "emotion": 7, "condition": width}
        return Codes(**{name: torch.rand(count, size, generator=generator) for name, size in sizes.items()})

    return make
