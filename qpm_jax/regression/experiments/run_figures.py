"""The pictures of an experiment, from its finished runs."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from qpm_jax import files
from qpm_jax.datasets.tables import Table, TextTable, bag_of_words
from qpm_jax.regression.experiments.records import Records, weights_path
from qpm_jax.regression.experiments.runs import Run
from qpm_jax.regression.experiments.table import select, values
from qpm_jax.regression.pictures.feature_graph import feature_graph
from qpm_jax.regression.pictures.figures import (
    accuracy_picture,
    corruption_picture,
    robustness_picture,
)
from qpm_jax.regression.pictures.model_style import MODEL_NAMES
from qpm_jax.regression.pictures.weight_figures import (
    feature_graph_picture,
    weight_picture,
)

logger = logging.getLogger(__name__)

# The model whose weights are drawn: the first of these that was run.
_DRAWN = ("mip", "pbo", "gradient_descent")
_NEIGHBOURS = 5
_TITLES = {"ask_ubuntu": "AskUbuntu", "flags": "Flags", "mnist": "MNIST"}


def pictures(
    records: Records, source: Table | TextTable, workdir: str | Path
) -> Iterator[tuple[str, bytes]]:
    """Draws what the finished runs allow.

    Only models that were run at every size and seed of the others are in a picture.

    Args:
        records: finished runs of one data set.
        source: the data set.
        workdir: where their weights are kept.

    Returns:
        File names and PNG files: accuracy, a corruption picture for every share of
        wrong labels, robustness, and the weights of every training size that are kept.
        None where every run has wrong labels.
    """
    clean = select(records, corruption=0.0)
    sizes = sorted({run.size for run in clean})
    if not sizes:
        logger.warning(
            "no pictures are drawn: they show what right labels give, and every run has"
            " some wrong ones; add 0.0 to config.corruptions."
        )
        return
    name = _title(source)
    test = _accuracies(clean, sizes, "test_accuracy")
    training = _accuracies(clean, sizes, "training_accuracy")
    if test:
        yield "accuracy.png", accuracy_picture(sizes, training, test, name)
    for share in sorted({run.corruption for run in records} - {0.0}):
        wrong = _accuracies(select(records, corruption=share), sizes, "test_accuracy")
        both = [model for model in test if model in wrong]
        if both:
            yield (
                f"corruption-{share:g}.png",
                corruption_picture(
                    sizes,
                    {model: test[model] for model in both},
                    {model: wrong[model] for model in both},
                    f"{name}, {100 * share:g} % of the training labels wrong",
                ),
            )
    curves = _curves(clean, sizes)
    if curves:
        title = f"{name}, test instances that stay right whichever features flip"
        yield "robustness.png", robustness_picture(sizes, curves, title)
    yield from _weight_pictures(clean, source, workdir)


def _weight_pictures(
    records: Records, source: Table | TextTable, workdir: str | Path
) -> Iterator[tuple[str, bytes]]:
    """A picture a size, of the weights that are kept."""
    for run in _drawn_runs(records):
        path = weights_path(workdir, run)
        if not path.is_file():  # of a work directory whose files had other names
            logger.warning(
                "weights-%d.png is not drawn: %s is missing; to have the run done"
                " again, remove its line from runs.jsonl.",
                *(run.size, path),
            )
            continue
        yield f"weights-{run.size}.png", _weights(run, source, path)


def _title(source: Table | TextTable) -> str:
    return _TITLES.get(source.name, source.name)


def _accuracies(
    records: Records, sizes: list[int], figure: str
) -> dict[str, Float[np.ndarray, "S K"]]:
    """Model to [S, K], for models that have as many seeds at every size."""
    found = {}
    for model in MODEL_NAMES:
        rows = [values(select(records, model=model, size=s), figure) for s in sizes]
        if len(set(map(len, rows))) == 1 and rows[0]:
            found[model] = np.array(rows)
    return found


def _curves(
    records: Records, sizes: list[int]
) -> dict[str, list[Float[np.ndarray, " R"]]]:
    """Model to a mean curve a size, for models that are certified at every size."""
    found = {}
    for model in MODEL_NAMES:
        rows = [
            values(select(records, model=model, size=size), "robust_accuracy")
            for size in sizes
        ]
        if all(row and None not in row for row in rows):
            found[model] = [_mean_curve(row) for row in rows]
    return found


def _mean_curve(curves: list[list[float]]) -> Float[np.ndarray, " R"]:
    """The mean of curves that are 0 beyond their ends."""
    total = np.zeros(max(map(len, curves)))
    for curve in curves:
        total[: len(curve)] += curve
    return total / len(curves)


def _drawn_runs(records: Records) -> list[Run]:
    """A run a size: the first seed of the first ternary model there is."""
    models = [model for model in _DRAWN if select(records, model=model)]
    runs = sorted(
        select(records, model=models[0]) if models else (),
        key=lambda run: (run.size, run.seed),
    )
    return [
        run
        for place, run in enumerate(runs)
        if place == 0 or runs[place - 1].size != run.size
    ]


def _weights(run: Run, source: Table | TextTable, path: Path) -> bytes:
    kept = files.read_arrays(path)
    weights = kept["coefficients"]
    names = [source.class_names[label] for label in kept["classes"]]
    title = f"{_title(source)}, {run.size} training instances, {MODEL_NAMES[run.model]}"
    if isinstance(source, TextTable):
        source = bag_of_words(source, kept["training"])
    if source.image_shape is not None:
        return weight_picture(weights, source.image_shape, names, title)
    neighbours = min(_NEIGHBOURS, weights.shape[1] - 1)
    edges = feature_graph(source.features, neighbours=neighbours)
    return feature_graph_picture(weights, edges, names, source.feature_names, title)
