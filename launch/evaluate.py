"""Phase 5: measures the dense model and QPM, prints one table, writes JSON.

    python -m launch.evaluate --config=configs/birds.py --workdir=runs/birds

`--class_similarity=FILE` (.npy, or .csv with commas) gives how alike the classes are in
truth, [C, C], where the data set has no attributes or a taxonomy says it better.
"""

from pathlib import Path

import numpy as np
from absl import flags
from ml_collections import ConfigDict

from launch import app, cluster
from qpm_jax.phases import evaluate
from qpm_jax.phases.published_figures import published

SIMILARITY = flags.DEFINE_string(
    "class_similarity", None, "How alike the classes are: .npy or .csv, [C, C]."
)


def main(config: ConfigDict, workdir: str) -> None:
    """Runs the phase and prints its table."""
    similarity = read_similarity(SIMILARITY.value) if SIMILARITY.value else None
    evaluate.run(config, workdir, class_similarity=similarity)
    result = evaluate.read_metrics(Path(workdir))
    cluster.tell(evaluate.table(result, published(config).setting))


def read_similarity(path: str) -> np.ndarray:
    """Returns the numbers of the file as float64.

    Raises:
        ValueError: the file is missing or holds something else.
    """
    try:
        values = np.load(path) if path.endswith(".npy") else None
        if values is None:
            values = np.loadtxt(path, delimiter=",", ndmin=2)
        return np.asarray(values, np.float64)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"class_similarity {path} cannot be read ({error}); give a .npy array or a "
            ".csv file of numbers, one row a class"
        ) from error


if __name__ == "__main__":
    app.run_phase(main)
