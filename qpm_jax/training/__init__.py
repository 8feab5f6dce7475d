"""Training state, pure steps, optimisers, schedules, the loop, logs and progress."""

from qpm_jax.training.frozen import held_statistics
from qpm_jax.training.loop import Plan, train
from qpm_jax.training.optimisers import optimiser
from qpm_jax.training.schedules import step_decay
from qpm_jax.training.state import TrainState, create, create_like, template
from qpm_jax.training.steps import Recipe, test_step, train_step
from qpm_jax.training.testing import test_figures

__all__ = [
    "Plan",
    "Recipe",
    "TrainState",
    "create",
    "create_like",
    "held_statistics",
    "optimiser",
    "step_decay",
    "template",
    "test_figures",
    "test_step",
    "train",
    "train_step",
]
