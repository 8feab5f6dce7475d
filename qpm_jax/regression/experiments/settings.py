"""What a regression experiment is made of: every key, its default and its meaning.

Defaults are those of Tule, Le, Say, arXiv 2112.00434, for Flags (Table I). A file in
`configs/` starts from `default()`; `--config.KEY=VALUE` changes single keys. Keys that
do not exist are refused.
"""

import math
from collections.abc import Callable
from typing import Any

from ml_collections import ConfigDict

from qpm_jax.config_keys import check_among, flatten, with_values
from qpm_jax.datasets.tables import names
from qpm_jax.regression import mip, pbo
from qpm_jax.solvers.registry import check_installed

MODELS = ("mip", "pbo", "logistic", "gradient_descent")
_POOLS = ("all", "official_train")

# What a number must be, in words, and which keys hold such numbers; all are finite.
_RANGES: dict[str, tuple[Callable[[float], bool], tuple[str, ...]]] = {
    "above 0": (
        lambda number: number > 0,
        (
            "alpha",
            "beta",
            "logistic.penalty_strength",
            "gradient_descent.learning_rate",
        ),
    ),
    "0 or more": (
        lambda number: number >= 0,
        ("mip.time_limit", "mip.gap", "pbo.time_limit", "pbo.gap"),
    ),
    "1 or more": (
        lambda number: number >= 1,
        (
            "threads",
            "logistic.max_iterations",
            "gradient_descent.epochs",
            "gradient_descent.batch_size",
        ),
    ),
}


def default() -> ConfigDict:
    """Returns a locked configuration with the published defaults."""
    config = ConfigDict(
        {
            "table": {
                "name": "flags",
                "root": "",  # folder of its files; "": see datasets.tables.load
                "draw_from": "all",  # or "official_train", the official training part
            },
            "sizes": (10, 25, 35, 50),  # training instances, class-balanced draws
            "seeds": (0, 1, 2, 3, 4),  # of the draw, the wrong labels and the solver
            "corruptions": (0.0, 0.1),  # shares of wrong labels; pictures need 0.0
            "models": MODELS,
            "alpha": 2.0,  # α, reward of a unit of lead
            "beta": 5.0,  # β, price of a unit of lag
            "threads": 1,
            "mip": {"solver": "highs", "time_limit": 300.0, "gap": 0.0},
            "pbo": {"solver": "scip", "time_limit": 300.0, "gap": 0.0},
            "logistic": {"penalty_strength": 1.0, "max_iterations": 1000},
            "gradient_descent": {
                "epochs": 200,
                "batch_size": 32,
                "learning_rate": 1e-3,
            },
        }
    )
    return config.lock()


def from_dict(values: dict[str, Any]) -> ConfigDict:
    """Rebuilds and checks a configuration.

    Args:
        values: nested; keys that are absent take their default.

    Returns:
        A locked configuration.

    Raises:
        ValueError: a key is unknown, or its value is not of the default's kind or not
            allowed.
    """
    config = with_values(default(), values)
    _check_choices(config)
    return config


def _check_choices(config: ConfigDict) -> None:
    """Refuses before the first run what would stop a later one."""
    check_among("table.name", [config.table.name], names())
    check_among("table.draw_from", [config.table.draw_from], _POOLS)
    check_among("models", config.models, MODELS)
    check_among("mip.solver", [config.mip.solver], mip.SOLVERS)
    check_among("pbo.solver", [config.pbo.solver], pbo.SOLVERS)
    if "pbo" in config.models:
        check_installed(config.pbo.solver)
    _check_ranges(config)
    wrong = [share for share in config.corruptions if not 0 <= share < 1]
    if wrong:
        raise ValueError(
            f"config.corruptions holds {wrong[0]}; it must hold shares in 0 … 1, such"
            " as 0.1, 1 not included."
        )
    for name in ("sizes", "seeds", "corruptions", "models"):
        values = list(config[name])
        if len(set(values)) < len(values):
            raise ValueError(f"config.{name} is {values}; name each one once.")


def _check_ranges(config: ConfigDict) -> None:
    """Refuses single numbers that a model or a draw would refuse."""
    numbers = flatten(config)
    for words, (allowed, keys) in _RANGES.items():
        for key in keys:
            if not (allowed(numbers[key]) and math.isfinite(numbers[key])):
                raise ValueError(
                    f"config.{key} is {numbers[key]}; it must be {words}, and finite."
                )
    if config.beta < config.alpha:
        raise ValueError(
            f"config.beta is {config.beta}; it must be at least config.alpha,"
            f" {config.alpha}: with less the program is unbounded."
        )
    negative = [seed for seed in config.seeds if seed < 0]
    if negative:
        raise ValueError(
            f"config.seeds holds {negative[0]}; it must hold whole numbers from 0."
        )
