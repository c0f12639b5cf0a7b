"""The training loop of every method and stage.

`objective(batch, model) -> named losses` is all it knows of the task: neither pixels nor cameras, and a batch may mix
identities. Phases, optimiser groups and hooks are data. Everything random comes from torch's global generator and the
one handed to `batches`, both kept in the checkpoint, so a killed job resumes to the same bytes.
"""

import logging
import math
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from emotag.errors import TrainingDiverged
from emotag.training.checkpoint import StateFolder
from emotag.training.interrupt import Interrupt
from emotag.training.progress import Progress

log = logging.getLogger(__name__)

MAX_RESTORES = 3
EXIT_BASE = 128


@dataclass(frozen=True)
class Group:
    """Parameters whose name starts with one of `prefixes`, their learning rate, its factor at the phase's end."""

    prefixes: tuple[str, ...]
    learning_rate: float
    final_factor: float = 0.1
    weight_decay: float = 0.0


class Hook(Protocol):
    """Called after every `every`-th step of its phase; True ends the phase. Its state is kept in the checkpoint."""

    every: int

    def __call__(self, step: int, model: nn.Module) -> bool:
        """`step` counts from 1."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        ...


@dataclass(frozen=True)
class Phase:
    """`iterations` steps of AdamW on `groups`; parameters in no group stand still. `weights` by loss, else 1."""

    name: str
    iterations: int
    objective: Callable[[Any, nn.Module], Mapping[str, Tensor]]
    batches: Callable[[torch.Generator], Any]
    groups: tuple[Group, ...]
    weights: Mapping[str, float] = field(default_factory=dict)
    hooks: tuple[Hook, ...] = ()
    clip_norm: float = math.inf
    betas: tuple[float, float] = (0.9, 0.99)
    epsilon: float = 1e-8


@dataclass
class Run:
    """Where a job stands: what a checkpoint holds beside the model."""

    optimiser: torch.optim.Optimizer
    generator: torch.Generator
    phase: int = 0
    step: int = 0
    restores: int = 0


def optimiser_for(model: nn.Module, phase: Phase) -> torch.optim.AdamW:
    """AdamW over the phase's groups, in the model's parameter order. Sets `requires_grad` accordingly.

    Raises:
        ValueError: a group names no parameter (a mistake in the phase, not of the user).
    """
    model.requires_grad_(False)
    groups = []
    for group in phase.groups:
        chosen = [p.requires_grad_() for name, p in model.named_parameters() if name.startswith(group.prefixes)]
        if not chosen:
            raise ValueError(f"phase {phase.name}: no parameter starts with {group.prefixes}")
        groups.append({"params": chosen, "lr": group.learning_rate, "weight_decay": group.weight_decay})
    return torch.optim.AdamW(groups, betas=phase.betas, eps=phase.epsilon, fused=True)


def set_learning_rates(run: Run, phase: Phase) -> None:
    """Rate * final_factor^(step / iterations), halved for each time the guard had to restore."""
    share = run.step / phase.iterations
    for target, group in zip(run.optimiser.param_groups, phase.groups, strict=True):
        target["lr"] = group.learning_rate * group.final_factor**share * 0.5**run.restores


def one_step(model: nn.Module, run: Run, phase: Phase) -> tuple[dict[str, Tensor], bool]:
    """Take one step. Returns the losses and whether all was finite (if not, nothing was changed)."""
    set_learning_rates(run, phase)
    losses = dict(phase.objective(phase.batches(run.generator), model))
    total = sum(phase.weights.get(name, 1.0) * value for name, value in losses.items())
    run.optimiser.zero_grad(set_to_none=True)
    if not torch.isfinite(total):
        return losses, False
    total.backward()
    trained = [p for group in run.optimiser.param_groups for p in group["params"]]
    norm = nn.utils.get_total_norm([p.grad for p in trained if p.grad is not None])
    if not torch.isfinite(norm):
        return losses, False
    if phase.clip_norm < math.inf:
        nn.utils.clip_grads_with_norm_(trained, phase.clip_norm, norm)
    run.optimiser.step()
    return {"loss": total, **losses}, True


def snapshot(model: nn.Module, run: Run, phase: Phase) -> dict[str, Any]:
    """Everything that determines what follows."""
    return {
        "model": model.state_dict(),
        "optimiser": run.optimiser.state_dict(),
        "generator": run.generator.get_state(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "hooks": [hook.state_dict() for hook in phase.hooks],
        "phase": run.phase,
        "step": run.step,
        "restores": run.restores,
    }


def restore(model: nn.Module, phases: Sequence[Phase], saved: Mapping[str, Any]) -> Run:
    """The inverse of `snapshot`: the model and hooks are changed in place, the run is returned."""
    model.load_state_dict(saved["model"])
    phase = phases[saved["phase"]]
    run = Run(optimiser_for(model, phase), torch.Generator(), saved["phase"], saved["step"], saved["restores"])
    run.optimiser.load_state_dict(saved["optimiser"])
    run.generator.set_state(saved["generator"])
    torch.set_rng_state(saved["torch"])
    if saved["cuda"]:
        torch.cuda.set_rng_state_all(saved["cuda"])
    for hook, state in zip(phase.hooks, saved["hooks"], strict=True):
        hook.load_state_dict(state)
    return run


def recover(model: nn.Module, phases: Sequence[Phase], state: StateFolder, run: Run, losses: Mapping) -> Run:
    """Back to the last good state with half the learning rate and another random stream.

    Raises:
        TrainingDiverged: that has been done `MAX_RESTORES` times already.
    """
    phase, step, restores = phases[run.phase], run.step, run.restores + 1
    found = ", ".join(f"{name} {float(value.detach()):.4g}" for name, value in losses.items())
    if restores > MAX_RESTORES:
        raise TrainingDiverged(
            f"{state.path}: {phase.name} step {step}: a loss or gradient is not finite ({found}) after {MAX_RESTORES} "
            "restarts from the last good state, expected finite numbers; lower the learning rate or check the inputs"
        )
    log.warning("%s step %d: not finite (%s); back to the last good state", phase.name, step, found)
    run = restore(model, phases, state.load())
    run.restores = restores
    run.generator.manual_seed(run.generator.initial_seed() + restores)
    return run


def train(
    model: nn.Module,
    phases: Sequence[Phase],
    state: StateFolder,
    progress: Progress,
    *,
    seed: int,
    checkpoint_every: int = 200,
) -> nn.Module:
    """Run all phases, resuming from `state` (which must be open) when it has a checkpoint. Changes `model` in place.

    Raises:
        TrainingDiverged: losses or gradients stay not finite.
        SystemExit: 128 + signal, after saving, on SIGTERM or SIGINT.
    """
    phases = [phase for phase in phases if phase.iterations]
    saved = state.load()
    if saved is None:
        torch.manual_seed(seed)
        run = Run(optimiser_for(model, phases[0]), torch.Generator().manual_seed(seed))
        state.save(snapshot(model, run, phases[0]))
    else:
        run = restore(model, phases, saved)
        log.info("resuming %s at step %d", phases[run.phase].name, run.step)
    with Interrupt((signal.SIGTERM, signal.SIGINT, signal.SIGHUP)) as interrupt:
        while True:
            phase = phases[run.phase]
            run = run_phase(model, phases, state, progress, run, checkpoint_every, interrupt)
            if run.phase + 1 == len(phases):
                return model
            run = Run(optimiser_for(model, phases[run.phase + 1]), run.generator, run.phase + 1)
            log.info("%s is done, %s begins", phase.name, phases[run.phase].name)
            state.save(snapshot(model, run, phases[run.phase]))


def run_phase(model, phases, state, progress, run, checkpoint_every: int, interrupt: Interrupt) -> Run:
    """Steps of `run.phase` until its end, a hook's wish or a signal; the last state is saved."""
    phase = phases[run.phase]
    ended = False
    while not ended and run.step < phase.iterations:
        losses, finite = one_step(model, run, phase)
        if not finite:
            run = recover(model, phases, state, run, losses)
            continue
        run.step += 1
        progress.step(phase.name, run.step, phase.iterations, losses)
        ended = any([hook(run.step, model) for hook in phase.hooks if run.step % hook.every == 0])
        if ended:
            run.step = phase.iterations
        if interrupt.received or run.step % checkpoint_every == 0 or run.step == phase.iterations:
            state.save(snapshot(model, run, phase))
        if interrupt.received:
            log.warning("signal %d: state saved in %s", interrupt.received, state.path)
            raise SystemExit(EXIT_BASE + interrupt.received)
    return run
