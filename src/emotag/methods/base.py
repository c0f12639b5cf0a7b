"""A method: the components of one published system, composed. Stages know methods only through this class."""

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from emotag.errors import ConfigError
from emotag.training.loop import Hook, Phase

NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Method:
    """What the stages need of a system.

    `motion_network(architecture)` and `mouth_field(architecture, positions)` build networks from plain settings;
    `prior_objective(weights)` gives the objective of the prior in motion space, `prior_phases` its schedule as data;
    `emotion_objective(weights)` and `emotion_phases` are those of residual, latent and gate, on acted emotion;
    `adapt_scopes` names, by scope, the prefixes of parameters that adaptation trains in a model whose children are
    `network` and `mouth` (the Gaussians always train); `rendered_scopes` likewise for the prior's rendered phase: `all`, and
    `shut` where the network's motion was found no better than the ridge's. `deviations` from the publication are part of
    the method.
    """

    name: str
    source: str
    deviations: tuple[str, ...]
    motion_network: Callable[[Any], nn.Module]
    mouth_field: Callable[[Any, Tensor], nn.Module]
    prior_objective: Callable[[Tensor], Callable[[Any, nn.Module], Mapping[str, Tensor]]]
    prior_phases: Callable[[Any, Callable, Callable, tuple[Hook, ...]], tuple[Phase, ...]]
    emotion_objective: Callable[[Tensor], Callable[[Any, nn.Module], Mapping[str, Tensor]]]
    emotion_phases: Callable[[Any, Callable, Callable, tuple[str, ...], tuple[Hook, ...]], tuple[Phase, ...]]
    adapt_scopes: Mapping[str, tuple[str, ...]]
    rendered_scopes: Mapping[str, tuple[str, ...]]

    def adapted(self, scope: str, acted: bool) -> str:
        """The scope of adaptation that is left of `scope`: where emotion was `acted`, the one of what is beside the network."""
        if not acted:
            return scope
        left = beside_network(self.adapt_scopes[scope])
        return next(name for name, prefixes in self.adapt_scopes.items() if prefixes == left)


def beside_network(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """What of these trains with pictures where emotion was learnt from actors.

    The teacher's score of a few calm seconds would open the gate, and what actors taught would come through bent (measured in
    adaptation: lips 3.6 px off instead of 1.6).
    """
    return tuple(prefix for prefix in prefixes if not prefix.startswith("network."))


def load(name: str) -> Method:
    """The method of the module `emotag.methods.<name>`.

    Raises:
        ConfigError: there is no such method.
    """
    if NAME.fullmatch(name):
        module = f"emotag.methods.{name}"
        try:
            found = getattr(importlib.import_module(module), "METHOD", None)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            found = None
        if isinstance(found, Method):
            return found
    raise ConfigError(
        f"method: found {name!r}, expected the name of a method that is here (emotag); correct the configuration"
    )
