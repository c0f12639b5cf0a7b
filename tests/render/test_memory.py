import resource

import numpy as np
import pytest

from emotag.render.memory import keep_freed


def test_freed_memory_comes_back_without_page_faults():
    if not keep_freed():
        pytest.skip("the C library has no mallopt")
    for _ in range(3):
        np.ones(2**21, np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(2**21, np.float32)
    # Fresh, 8 MB are 2048 pages each time.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 2048
