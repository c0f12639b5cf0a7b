"""Levenberg-Marquardt over a whole clip: pose and motion of every frame and, where asked, the shared shape.

Limits are kept by an active set: a channel at its limit whose gradient pushes outwards is left out of the step (projected
Newton: Bertsekas 1982). Frames are coupled by smoothness, see `emotag.tracking.banded`.
"""

import logging
from dataclasses import dataclass

import numpy as np
import torch

from emotag.tracking.banded import Coupling, solve
from emotag.tracking.channels import Channels
from emotag.tracking.eye_sockets import EyeSockets
from emotag.tracking.landmark_basis import LandmarkBasis
from emotag.tracking.photometric import Photometric
from emotag.tracking.reprojection import POSE, Observations, cost, normal_equations

log = logging.getLogger(__name__)
DAMPING = (1e-7, 1e6)
CONVERGED = 1e-4  # relative decrease of the cost


@dataclass(frozen=True)
class Problem:
    """What is fitted to what, with which priors; `offsets` [L, 3] m are this person's landmark offsets, `shape_weight`
    the prior's weight on unit-variance shape coefficients, `pose_time_constant` in frames (second differences), `sockets`
    a further prior on the shape, `photometric` what the pictures say beside the landmarks (only with the shape frozen)."""

    basis: LandmarkBasis
    observations: Observations
    channels: Channels
    offsets: torch.Tensor
    shape_weight: float
    pose_time_constant: float
    smoothness: float
    sockets: EyeSockets | None = None
    photometric: Photometric | None = None

    def shape_cost(self, shape: np.ndarray) -> float:
        """Prior's cost of `shape` [S]."""
        cost = 0.5 * self.shape_weight * float((shape**2).sum())
        return cost if self.sockets is None else cost + self.sockets.cost(shape)

    def shape_normal(self, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Matrix [S, S] and gradient [S] of `shape_cost`."""
        matrix, gradient = self.shape_weight * np.eye(len(shape)), self.shape_weight * shape
        if self.sockets is None:
            return matrix, gradient
        extra_matrix, extra_gradient = self.sockets.normal(shape)
        return matrix + extra_matrix, gradient + extra_gradient


@dataclass(frozen=True)
class Estimate:
    """`state` [T, 6 + M]: rotation, translation, motion; `shape` [S]."""

    state: np.ndarray
    shape: np.ndarray
    cost: float


def coupling_of(problem: Problem, blocks: np.ndarray) -> Coupling:
    """Smoothness weights [P] from what the landmarks say in a typical frame (`blocks` [T, P, P]), so that a time constant
    means the same for a well and a badly seen channel."""
    seen = np.median(np.diagonal(blocks, axis1=1, axis2=2), axis=0)
    motion = seen[POSE:]
    motion = np.maximum(motion, 0.1 * np.median(motion[motion > 0]) if (motion > 0).any() else 1.0)
    first, second = np.zeros_like(seen), np.zeros_like(seen)
    first[POSE:] = problem.smoothness * motion * problem.channels.time_constants**2
    second[:POSE] = problem.smoothness * seen[:POSE] * problem.pose_time_constant**4
    return Coupling(first, second, problem.observations.linked)


def _total(problem: Problem, coupling: Coupling, estimate_state: np.ndarray, shape: np.ndarray) -> float:
    state = torch.from_numpy(estimate_state).float()
    local = problem.basis.posed(torch.from_numpy(shape).float(), problem.offsets).points(state[:, POSE:])
    prior = problem.channels.cost(estimate_state[:, POSE:]) + problem.shape_cost(shape)
    seen = 0.0 if problem.photometric is None else problem.photometric.cost(state)
    return cost(problem.observations, local, state) + seen + coupling.cost(estimate_state) + prior


def _limits(problem: Problem, with_motion: bool) -> tuple[np.ndarray, np.ndarray]:
    wide = np.full(POSE, np.inf)
    lower, upper = problem.channels.lower, problem.channels.upper
    if not with_motion:
        lower, upper = problem.channels.rest, problem.channels.rest
    return np.concatenate([-wide, lower]), np.concatenate([wide, upper])


def minimise(
    problem: Problem, start: Estimate, iterations: int, with_motion: bool = True, with_shape: bool = False
) -> Estimate:
    """Improve `start` by at most `iterations` steps; without motion the channels stay at rest."""
    state, shape = start.state.astype(np.float64).copy(), start.shape.astype(np.float64).copy()
    lower, upper = _limits(problem, with_motion)
    state = np.clip(state, lower, upper)
    damping, current, coupling = 1e-3, np.inf, None
    for step in range(iterations):
        normal = normal_equations(
            problem.observations,
            problem.basis,
            torch.from_numpy(shape).float(),
            problem.offsets,
            torch.from_numpy(state).float(),
            with_shape,
        )
        if coupling is None:
            coupling = coupling_of(problem, normal.blocks)
            current = _total(problem, coupling, state, shape)
        gradient = normal.gradient + coupling.gradient(state)
        if problem.photometric is not None:
            problem.photometric.add_to(torch.from_numpy(state).float(), normal.blocks, gradient)
        problem.channels.add_to(state[:, POSE:], normal.blocks[:, POSE:, POSE:], gradient[:, POSE:])
        free = ~(((state <= lower) & (gradient > 0)) | ((state >= upper) & (gradient < 0)) | (lower == upper))
        shared = None
        if with_shape:
            matrix, slope = problem.shape_normal(shape)
            shared = normal.cross, normal.matrix + matrix, normal.shape_gradient + slope
        before = current
        while damping < DAMPING[1]:
            change, shape_change = solve(normal.blocks, gradient, coupling, free, damping, shared)
            trial = np.clip(state + change, lower, upper)
            trial_shape = shape if shape_change is None else shape + shape_change
            value = _total(problem, coupling, trial, trial_shape)
            if value < current:
                state, shape, current = trial, trial_shape, value
                damping = max(damping / 5, DAMPING[0])
                break
            damping *= 5
        log.debug("step %d: cost %.4f, damping %.1e", step, current, damping)
        if before - current < CONVERGED * before:
            break
    return Estimate(state, shape, current)
