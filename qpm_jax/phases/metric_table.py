"""What the metrics are called, what they mean, and the table that people read."""

from typing import NamedTuple

Values = dict[str, float | None]


class Metric(NamedTuple):
    """How a metric is shown to people.

    Attributes:
      label: Its name in tables.
      better: `higher`, `lower`, or empty where neither is.
      meaning: One plain sentence.
    """

    label: str
    better: str
    meaning: str


# By name in metrics.json: first the paper's, in the order of its tables.
METRICS = {
    "accuracy": Metric("Accuracy", "higher", "Test images given their true class."),
    "features": Metric("Features", "lower", "Features that some class uses."),
    "features_per_class": Metric(
        "Features per class", "lower", "Features a person has to look at for a class."
    ),
    "sid_at_5": Metric(
        "SID@5", "higher", "How far a class's five features look at different places."
    ),
    "class_independence": Metric(
        "Class-independence", "higher", "How far features serve more than one class."
    ),
    "contrastiveness": Metric(
        "Contrastiveness", "higher", "How clearly a feature is either on or off."
    ),
    "structural_grounding": Metric(
        "Structural grounding",
        "higher",
        "Whether classes that are alike share features.",
    ),
    "correlation": Metric(
        "Correlation", "lower", "How far a feature repeats its most similar other one."
    ),
    "dependence": Metric(
        "Dependence", "lower", "How much of a decision hangs on its largest feature."
    ),
    "alignment": Metric(
        "Alignment",
        "higher",
        "How much higher a feature is where its best attribute is present.",
    ),
    "plausibility": Metric(
        "Plausibility", "higher", "Share of the class's activation on the object."
    ),
    "deletion": Metric(
        "Deletion",
        "lower",
        "Probability left as the places the explanation names are blanked.",
    ),
    "insertion": Metric(
        "Insertion",
        "higher",
        "Probability reached as only those places are shown.",
    ),
    "monosemanticity": Metric(
        "Monosemanticity",
        "higher",
        "How alike classes that share a feature are; 50 % by chance.",
    ),
    "local_monosemanticity": Metric(
        "Monosemanticity, local",
        "higher",
        "The same among look-alikes only; 50 % by chance.",
    ),
}

# The columns of the paper's comparisons.
PAPER = (
    "accuracy",
    "sid_at_5",
    "class_independence",
    "contrastiveness",
    "structural_grounding",
    "correlation",
)


def filled(values: dict[str, Values]) -> dict[str, Values]:
    """Returns the columns with every metric, None where a value is missing.

    Runs of before a metric was added have no value of it.
    """
    columns = ("dense", "qpm", "published")
    return {
        column: {name: values.get(column, {}).get(name) for name in METRICS}
        for column in columns
    }


def table(result: dict[str, Values], published_setting: str = "") -> str:
    """Returns the metrics as a table for people, fractions as percent.

    Args:
      result: The columns.
      published_setting: The line below them, where there are published values.
    """
    result = filled(result)
    known = any(value is not None for value in result["published"].values())
    columns = ("dense", "qpm", "published") if known else ("dense", "qpm")
    heads = "".join(f"{'QPM' if c == 'qpm' else c:>11}" for c in columns)
    lines = [f"{'':42}{heads}"]
    for name, metric in METRICS.items():
        better = f" ({metric.better} is better)" if metric.better else ""
        row = "".join(f"{format_metric(name, result[c][name]):>11}" for c in columns)
        lines.append(f"{metric.label + better:42}{row}")
    if result["dense"]["accuracy"]:
        ratio = (result["qpm"]["accuracy"] or 0) / result["dense"]["accuracy"]
        lines.append(f"{'QPM accuracy / dense':42}{'':11}{100 * ratio:>10.1f}%")
    return "\n".join([*lines, published_setting] if known else lines)


def format_metric(name: str, value: float | None) -> str:
    """Returns one figure for people: counts as numbers, fractions as percent."""
    if value is None:
        return "–"
    if name.startswith("features"):
        return f"{value:.0f}"
    return f"{100 * value:.1f}%"
