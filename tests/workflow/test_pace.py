"""What is done once instead of for each job of a plan."""

import gc
import inspect
from types import SimpleNamespace

from snakemake.resources import Resource

from emotag.workflow import pace


class Asked:
    def method(self, wildcards, input):
        return []


def test_signatures_are_stated_as_they_are_and_rubbish_is_collected_rarely():
    asked, function = Asked(), lambda wildcards, input: []
    wrapped = SimpleNamespace(_file=SimpleNamespace(callable=asked.method))
    rule = SimpleNamespace(input=[wrapped, "file"], params=[function, 3], resources={"_cores": Resource("_cores", 1)})
    before = gc.get_threshold()
    try:
        pace.quicken([rule])
        assert gc.get_threshold() == pace.RARELY
    finally:
        gc.set_threshold(*before)
    assert list(function.__signature__.parameters) == ["wildcards", "input"]
    assert list(inspect.signature(asked.method).parameters) == ["wildcards", "input"]
    assert "__signature__" in vars(Asked.method) and "__signature__" in vars(Resource.evaluate)
    assert list(inspect.signature(Resource("x", 1).evaluate).parameters) == ["args", "kwargs"]
