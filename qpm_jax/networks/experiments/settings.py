"""What an experiment with networks is made of: every key and its default.

Splits are those of docs/networks.md, Splits; the candidates among which the training
part chooses, and the time limit, are the project's own. A file in `configs/` starts
from `default()`; `--config.KEY=VALUE` changes single keys. Keys that do not exist are
refused.
"""

from collections.abc import Sequence
from typing import Any

from ml_collections import ConfigDict

from qpm_jax.config_keys import check_among, with_values
from qpm_jax.networks.conv_network import POOLINGS
from qpm_jax.networks.experiments import image_data
from qpm_jax.networks.experiments.measurements import NAMES
from qpm_jax.networks.labels import ENCODINGS
from qpm_jax.networks.programs.relu_rows import ENCODINGS as RELUS
from qpm_jax.networks.programs.whole_program import SOLVERS
from qpm_jax.networks.weight_family import FAMILIES

MODELS = ("milp", "gradient", "magnitude", "lottery", "logistic", "tree")
# They keep as many weights as the network of the program has.
PRUNED = ("magnitude", "lottery")


def default() -> ConfigDict:
    """Returns a locked configuration."""
    config = ConfigDict(
        {
            "table": "iris",  # or "wine", "wbc"; images: "digits", "mnist"
            "root": "",  # folder of MNIST's files; "" for where they are by default
            "seeds": (0, 1, 2, 3, 4),  # of the split and of all that is random
            "test_share": 0.25,
            "models": MODELS,
            "label_encoding": "one_hot",
            "deep_weights": "grid",
            # what the training part chooses among, by inner splits
            "choice": {
                "widths": (2, 4, 8),  # of the one hidden layer
                "l1": (0.003, 0.01, 0.03),  # λ₁
                "l2": (0.0, 0.003, 0.01, 0.03),  # λ₂
                "splits": 8,
                "test_share": 0.25,
            },
            "milp": {
                "relu": "big_m",
                "solver": "highs",
                "time_limit": 60.0,
                "gap": 0.01,
                "threads": 1,
                # share of the time after the search, for tighter big-M values
                "tightening": 0.0,
            },
            "tree": {"depth": 3},
            # images alone; a convolution, ReLU, pooling and a readout
            "conv": {
                "side": 0,  # of the images; 0 leaves them as they are
                "classes": 0,  # only the first so many; 0 for all
                "training_images": 0,  # 0 for all
                "channels": 2,
                "filter_size": 3,
                "pooling": "max",
                "window": 2,
                "l1": 0.002,  # λ₁
                "l2": 0.02,  # λ₂, of the readout
                "channel_price": 0.0,
                "gate_price": 0.0,
                "weight_limit": 1.0,  # U
                "grid_step": 0.0625,
                "grid_bits": 4,
                "restarts": 8,
                "dropout": 0.0,
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
        ValueError: a key is unknown, or a value not allowed.
    """
    config = with_values(default(), values)
    for name, chosen, allowed in (
        ("table", [config.table], NAMES + image_data.NAMES),
        ("models", config.models, MODELS),
        ("conv.pooling", [config.conv.pooling], POOLINGS),
        ("label_encoding", [config.label_encoding], ENCODINGS),
        ("deep_weights", [config.deep_weights], FAMILIES),
        ("milp.relu", [config.milp.relu], RELUS),
        ("milp.solver", [config.milp.solver], SOLVERS),
    ):
        check_among(name, chosen, allowed)
    _check_order(config.models)
    return config


def _check_order(models: Sequence[str]) -> None:
    """Refuses pruning to the number of weights of a network that is not there yet."""
    for place, model in enumerate(models):
        if model in PRUNED and "milp" not in models[:place]:
            raise ValueError(
                f"config.models has {model!r} without 'milp' before it; it keeps as"
                " many weights as that network, so put 'milp' first."
            )
