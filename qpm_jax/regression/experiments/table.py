"""What the experiments gave, as Markdown: accuracies, and Table II with the paper's."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from qpm_jax.regression.experiments.published import PublishedResult, published
from qpm_jax.regression.experiments.records import Records

_SHORT = {"mip": "MIP", "pbo": "PBO", "logistic": "LR", "gradient_descent": "GD"}
_PROOFS = ("mip", "pbo")


def tables(records: Records) -> str:
    """Returns Markdown: accuracies for every share of wrong labels, then the proofs.

    Args:
        records: finished runs of one data set.

    Returns:
        Tables with headings: mean ± standard deviation over the seeds, in percent;
        then gap, time and reduction, ours / published.

    Raises:
        ValueError: when there is no run.
    """
    if not records:
        raise ValueError("records is empty; run at least one experiment first.")
    parts = []
    for share in sorted({run.corruption for run in records}):
        chosen = select(records, corruption=share)
        wrong = f", {100 * share:g} % of the training labels wrong" if share else ""
        parts += [f"Accuracy in %{wrong}", "", _accuracies(chosen)]
    clean = select(records, corruption=0.0)
    if any(run.model in _PROOFS for run in clean):
        parts += ["Gap, time and zero weights, ours / published", "", _proofs(clean)]
    return "\n".join(parts)


def select(records: Records, **fields: Any) -> Records:
    """Returns the runs with these fields.

    Args:
        records: finished runs.
        **fields: of `Run`, such as `model="mip"`.
    """
    return {
        run: record
        for run, record in records.items()
        if all(getattr(run, name) == value for name, value in fields.items())
    }


def values(records: Records, figure: str) -> list[Any]:
    """Returns one figure of every run.

    Args:
        records: finished runs.
        figure: such as "test_accuracy".
    """
    return [record[figure] for record in records.values()]


def _accuracies(records: Records) -> str:
    """A row a size, training and test accuracy of every model."""
    models = _in_order(run.model for run in records)
    heads = ["data", "size", "features", "test", "seeds"]
    heads += [f"{_SHORT[m]} {kind}" for m in models for kind in ("train", "test")]
    rows = []
    for size in sorted({run.size for run in records}):
        chosen = select(records, size=size)
        row = [
            next(iter(chosen)).table,
            str(size),
            _span(values(chosen, "num_features")),
            _span(values(chosen, "test_instances")),
            str(len({run.seed for run in chosen})),
        ]
        for model in models:
            own = select(chosen, model=model)
            row += [
                _percent(values(own, f"{kind}_accuracy"))
                for kind in ("training", "test")
            ]
        rows.append(row)
    return _markdown(heads, rows)


def _proofs(records: Records) -> str:
    """A row a size: gap, time and reduction of MIP and PBO beside the paper's."""
    models = [model for model in _PROOFS if select(records, model=model)]
    heads = ["data", "size"]
    for model in models:
        name = _SHORT[model]
        heads += [f"{name} gap", f"{name} proven", f"{name} s", f"{name} zeros %"]
    rows = []
    for size in sorted({run.size for run in records}):
        chosen = select(records, size=size)
        row = [next(iter(chosen)).table, str(size)]
        for model in models:
            own = select(chosen, model=model)
            paper = published(next(iter(chosen)).table, size, model)
            row += _proof_cells(own, paper)
        rows.append(row)
    return _markdown(heads, rows)


def _proof_cells(records: Records, paper: PublishedResult | None) -> list[str]:
    if not records:
        return ["–"] * 4
    gaps = values(records, "gap")
    gap = "none" if None in gaps else _gap(float(np.mean(gaps)))
    proven = values(records, "status").count("optimal")
    seconds = float(np.mean(values(records, "seconds")))
    zeros = 100 * float(np.mean(values(records, "reduction")))
    if paper is None:
        known = ("–", "–", "–")
    else:
        limit = "3600 T.O." if paper.seconds is None else f"{paper.seconds:.2f}"
        known = (_gap(paper.gap), limit, f"{100 * paper.reduction:.1f}")
    return [
        f"{gap} / {known[0]}",
        f"{proven} of {len(records)}",
        f"{seconds:.2f} / {known[1]}",
        f"{zeros:.1f} / {known[2]}",
    ]


def _gap(gap: float) -> str:
    return "0" if gap == 0 else f"{gap:.2g}" if gap < 100 else f"{gap:.0f}"


def _span(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low}–{high}"


def _percent(shares: Sequence[float]) -> str:
    if not shares:
        return "–"
    percent = 100 * np.array(shares)
    spread = f" ± {percent.std(ddof=1):.1f}" if len(percent) > 1 else ""
    return f"{percent.mean():.1f}{spread}"


def _in_order(models: Iterable[str]) -> list[str]:
    there = set(models)
    return [model for model in _SHORT if model in there]


def _markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns of equal width."""
    cells = [list(row) for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"
