"""What an experiment with networks is made of: every key and its default.

Splits are those of PAPERS 2.3; the candidates among which the training part chooses,
and the time limit, are the project's own. A file in `configs/` starts from `default()`;
`--config.KEY=VALUE` changes single keys. Keys that do not exist are refused.
"""

import difflib
from typing import Any

from ml_collections import ConfigDict

from qpm_jax.config import flatten
from qpm_jax.networks.labels import ENCODINGS
from qpm_jax.networks.measurements import NAMES
from qpm_jax.networks.relu_rows import ENCODINGS as RELUS
from qpm_jax.networks.solve import SOLVERS
from qpm_jax.networks.weight_family import FAMILIES

MODELS = ("milp", "gradient", "magnitude", "lottery", "logistic", "tree")


def default() -> ConfigDict:
    """Returns a locked configuration."""
    config = ConfigDict(
        {
            "table": "iris",  # or "wine", "wbc"
            "seeds": (0, 1, 2, 3, 4),  # of the split and of all that is random
            "test_share": 0.25,
            "models": MODELS,
            "label_encoding": "one_hot",
            "deep_weights": "grid",
            # what the training part chooses among, by inner splits
            "choice": {
                "widths": (4,),  # of the one hidden layer
                "l1": (0.003, 0.01, 0.03),  # λ₁
                "l2": (0.0, 0.003, 0.01, 0.03),  # λ₂
                "splits": 8,
                "test_share": 0.25,
                "seconds": 0.3,  # of search, for each candidate and split
            },
            "milp": {
                "relu": "big_m",
                "solver": "highs",
                "time_limit": 60.0,
                "gap": 0.01,
                "threads": 1,
            },
            "tree": {"depth": 3},
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
        ValueError: a key is unknown, or a value not allowed.
    """
    known = flatten(default())
    for name in flatten(values):
        if name not in known:
            raise ValueError(unknown_key_message(name))
    config = default()
    try:
        config.update(values)
    except TypeError as error:
        raise ValueError(f"config holds a value of another kind: {error}") from error
    for name, chosen, allowed in (
        ("table", [config.table], NAMES),
        ("models", config.models, MODELS),
        ("label_encoding", [config.label_encoding], ENCODINGS),
        ("deep_weights", [config.deep_weights], FAMILIES),
        ("milp.relu", [config.milp.relu], RELUS),
        ("milp.solver", [config.milp.solver], SOLVERS),
    ):
        _check_among(name, chosen, allowed)
    return config


def unknown_key_message(name: str) -> str:
    """Says that a key does not exist and offers the nearest that do.

    Args:
        name: dotted, without "config.".
    """
    known = list(flatten(default()))
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    last = name.rsplit(".", 1)[-1]
    near += [key for key in known if key.rsplit(".", 1)[-1] == last and key not in near]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"config.{name} does not exist.{hint} All keys: {', '.join(known)}."


def _check_among(name: str, values: Any, allowed: tuple[str, ...]) -> None:
    for value in values:
        if value not in allowed:
            near = difflib.get_close_matches(str(value), allowed, n=3, cutoff=0.5)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise ValueError(
                f"config.{name} is {value!r}.{hint} There are: {', '.join(allowed)}."
            )
