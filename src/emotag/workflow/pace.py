"""Planning many thousands of jobs in less time: what Snakemake would do anew for each of them is done once."""

import gc
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

# Nearly everything that a plan allocates lives as long as the plan: looking through it for rubbish, as often as Python does
# by itself, takes a fifth of the time.
RARELY = (100_000, 50, 100)


def quicken(rules: Iterable[Any]) -> None:
    """Collect rubbish rarely, and state the signatures of what the `rules` ask for inputs, params and resources."""
    gc.set_threshold(*RARELY)
    for rule in rules:
        for resource in rule.resources.values():
            # A method of Snakemake's own, whose signature is looked at for every resource of every job.
            state_signature(type(resource).evaluate)
        for function in functions_of(rule):
            # Of a bound method the signature is that of its function, less the first parameter.
            state_signature(getattr(function, "__func__", function))


def functions_of(rule: Any) -> Iterator[Callable[..., Any]]:
    """Input and params functions of a rule, which Snakemake wraps in strings with a note on them."""
    for item in (*rule.input, *rule.params):
        for layer in ("_file", "callable"):
            item = getattr(item, layer, item)
        if inspect.isfunction(item) or inspect.ismethod(item):
            yield item


def state_signature(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, with its signature worked out."""
    function.__signature__ = inspect.signature(function)
    return function
