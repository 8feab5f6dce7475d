"""One run of the published experiments: draw, perhaps wrong labels, fit, measure.

Tule, Le, Say, arXiv 2112.00434, experiments 1 and 2; the robustness is beyond it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int
from ml_collections import ConfigDict

from qpm_jax.datasets.tables import (
    Table,
    TextTable,
    bag_of_words,
    balanced_draw,
    corrupt_labels,
)
from qpm_jax.regression.experiments.linear_models import LinearModel, fit
from qpm_jax.regression.robustness import Certificate, certify, robust_accuracy


@dataclass(frozen=True)
class Run:
    """What one run is; two runs with equal fields give the same model, time apart.

    Attributes:
        table: name of the data set.
        size: training instances.
        model: one of `settings.MODELS`.
        seed: of the draw, the wrong labels and the fit.
        corruption: share of wrong training labels.
        draw_from: "all" or "official_train".
        settings: of the model, (name, value) pairs in alphabetical order.
    """

    table: str
    size: int
    model: str
    seed: int
    corruption: float
    draw_from: str
    settings: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run gave.

    Attributes:
        record: figures by name, ready for JSON; see `execute`.
        table: the data set with the features of this run.
        training: int64 [n], the rows that trained.
        model: what was fitted.
        radius: int64 [M], of the rows that test, see `robustness.Certificate`; None
            where weights are not ternary or features not binary.
    """

    record: dict[str, Any]
    table: Table
    training: Int[np.ndarray, " n"]
    model: LinearModel
    radius: Int[np.ndarray, " M"] | None


def planned_runs(config: ConfigDict) -> Iterator[Run]:
    """Yields every run of a configuration, small training sets first.

    Args:
        config: see `settings.default`.
    """
    shared = {"alpha": config.alpha, "beta": config.beta, "threads": config.threads}
    for size in config.sizes:
        for seed in config.seeds:
            for corruption in config.corruptions:
                for model in config.models:
                    own = dict(config[model]) | (
                        shared if model in ("mip", "pbo") else {}
                    )
                    yield Run(
                        table=config.table.name,
                        size=size,
                        model=model,
                        seed=seed,
                        corruption=float(corruption),
                        draw_from=config.table.draw_from,
                        settings=tuple(sorted(own.items())),
                    )


def execute(source: Table | TextTable, run: Run) -> Outcome:
    """Draws, fits and measures.

    Args:
        source: the data set; texts become features by the words of the draw.
        run: what to do.

    Returns:
        The outcome. Its record has num_features, training_instances, test_instances,
        training_accuracy (on the labels that trained), test_accuracy (on the true
        labels of all other rows), reduction, nonzeros, seconds, status, objective,
        bound, gap and robust_accuracy (a list, see `robustness.robust_accuracy`, or
        None where weights are not ternary or features not binary); what is not known is
        None.

    Raises:
        ValueError: a draw that cannot be made, or what the model refuses.
        KeyboardInterrupt: a solver was interrupted.
    """
    training, test = draw(source, run)
    table = bag_of_words(source, training) if isinstance(source, TextTable) else source
    labels = corrupt_labels(
        table.labels[training], table.num_classes, run.corruption, run.seed
    )
    features = table.features[training]
    model = fit(run.model, features, labels, run.seed, dict(run.settings))
    test_figures, radius = _tested(model, table, test)
    record = {
        "num_features": features.shape[1],
        "training_instances": len(training),
        "test_instances": len(test),
        "training_accuracy": float((model.predict(features) == labels).mean()),
        "reduction": float((model.coefficients == 0).mean()),
        "nonzeros": int((model.coefficients != 0).sum()),
        "seconds": model.seconds,
        "status": model.status,
        "objective": model.objective,
        "bound": model.bound,
        "gap": model.gap,
        **test_figures,
    }
    return Outcome(record, table, training, model, radius)


def draw(
    source: Table | TextTable, run: Run
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " M"]]:
    """Draws the training rows of a run.

    Args:
        source: the data set.
        run: its size, seed and pool count.

    Returns:
        Rows that train and rows that test, both ascending.

    Raises:
        ValueError: a draw that cannot be made, or leaves nothing to test.
    """
    pool = None
    if run.draw_from == "official_train":
        pool = source.official_train
        if pool is None:
            raise ValueError(
                f"draw_from is 'official_train', but {source.name} has no official"
                " training part; use 'all'."
            )
    training, test = balanced_draw(
        source.labels, source.num_classes, run.size, run.seed, pool
    )
    if not len(test):
        raise ValueError(
            f"size is {run.size}, all there is; leave some instances for testing."
        )
    return training, test


def _tested(
    model: LinearModel, table: Table, test: Int[np.ndarray, " M"]
) -> tuple[dict[str, Any], Int[np.ndarray, " M"] | None]:
    """Accuracy on the test rows, and how far it holds where that can be certified."""
    features, labels = table.features[test], table.labels[test]
    ternary = np.isin(model.coefficients, (-1, 0, 1)).all()
    if not (ternary and table.is_binary):
        accuracy = float((model.predict(features) == labels).mean())
        return {"test_accuracy": accuracy, "robust_accuracy": None}, None
    found = certify(model.coefficients, model.intercepts, features)
    certificate = Certificate(model.classes[found.predicted], found.radius)
    shares = robust_accuracy(certificate, labels)
    figures = {"test_accuracy": float(shares[0]), "robust_accuracy": shares.tolist()}
    return figures, found.radius
