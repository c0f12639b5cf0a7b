"""Early stopping: keep the weights that did best on left-out people."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class KeepBest:
    """Hook: scores the model every `every` steps, remembers the best weights, and ends the phase after `patience`
    scores without a new best. `score(model)`: higher is better."""

    def __init__(self, score: Callable[[nn.Module], float], every: int, patience: int) -> None:
        self.every = every
        self.best = float("-inf")
        self.best_step = 0
        self.scores: list[float] = []
        self._score, self._patience = score, patience
        self._weights: dict[str, torch.Tensor] = {}

    def __call__(self, step: int, model: nn.Module) -> bool:
        """Score `model`; True when it is time to stop."""
        score = self._score(model)
        self.scores.append(score)
        if score > self.best:
            self.best, self.best_step = score, step
            self._weights = {name: value.detach().clone() for name, value in model.state_dict().items()}
        return len(self.scores) - 1 - self.scores.index(self.best) >= self._patience

    def restore_best(self, model: nn.Module) -> None:
        """Give the model its best weights back (as they are when it was never scored)."""
        if self._weights:
            model.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"best": self.best, "best_step": self.best_step, "scores": self.scores, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From the checkpoint."""
        self.best, self.best_step = state["best"], state["best_step"]
        self.scores, self._weights = list(state["scores"]), dict(state["weights"])
