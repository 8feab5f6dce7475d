"""Training state, pure steps, schedules, the loop around them, logs and progress."""

from qpm_jax.training.loop import Plan, test_figures, train
from qpm_jax.training.schedules import held_until, sgd, step_decay
from qpm_jax.training.state import TrainState, create
from qpm_jax.training.steps import Recipe, test_step, train_step

__all__ = [
    "Plan",
    "Recipe",
    "TrainState",
    "create",
    "held_until",
    "sgd",
    "step_decay",
    "test_figures",
    "test_step",
    "train",
    "train_step",
]
