"""A small report with every part, some of its words hostile."""

import numpy as np
import pytest

from qpm_jax.explain import Examples, MetricRow, ReportContents

EVIL = '<script>alert("x")</script> & $title'
CLASSES, FEATURES, TOP, PHOTOS = 5, 6, 3, 8
ASSIGNMENT = np.array(
    [
        [1, 1, 0, 0, 0, 0],
        [1, 0, 1, 0, 0, 0],
        [0, 0, 0, 1, 1, 0],
        [0, 0, 0, 1, 0, 1],
        [0, 0, 0, 0, 1, 1],
    ],
    bool,
)
NAMES = ("wren", "lark", "dove", "crane", EVIL)


def small_examples():
    rng = np.random.default_rng(0)
    of_feature = rng.integers(0, PHOTOS, (FEATURES, TOP))
    of_feature[0, -1] = -1
    of_feature[1] = -1
    return Examples(
        images=rng.integers(0, 256, (PHOTOS, 8, 12, 3), dtype=np.uint8),
        labels=np.arange(PHOTOS) % CLASSES,
        of_class=np.arange(CLASSES),
        class_maps=rng.random((CLASSES, 3, 4, FEATURES)),
        of_feature=of_feature,
        feature_maps=rng.random((FEATURES, TOP, 3, 4)),
    )


def small_details():
    curves = {"images": 20, "deletion": [0.9, 0.3, 0.1], "insertion": [0.1, 0.7, 0.9]}
    shared = {
        "faithfulness": {**curves, "random": [0.9, 0.5, 0.1], "random_area": 0.5},
        "plausibility": {"object": {"share": 0.31, "by_chance": 0.17}},
    }
    values = {"monosemanticity": 0.61, "local_monosemanticity": None}
    return {
        "dense": shared,
        "qpm": {
            **shared,
            "features": {
                str(channel): {**values, "attribute": "has_wing::red", "lift": 2.5}
                for channel in (3, 14, 15, 92, 65, 35)
            },
            "confusions": [
                {
                    "class": "wren",
                    "taken_for": "lark",
                    "images": 4,
                    "share": 0.2,
                    "lead": 0.5,
                    "features": {"15": 0.9, "14": -0.4},
                }
            ],
        },
    }


def small_contents(**changes):
    contents = {
        "title": "QPM on birds",
        "class_names": NAMES,
        "assignment": ASSIGNMENT,
        "selected": np.array([3, 14, 15, 92, 65, 35]),
        "metrics": (
            MetricRow("Accuracy", 0.95, 0.941, better="higher", note="On test."),
            MetricRow("Features", 128, 6, unit="count"),
            MetricRow("Ratio", None, 0.99),
        ),
        "details": small_details(),
        "summary": "Trained in no time.",
        "history": [
            {"phase": p, "step": s, "epoch": s, "loss": 1.0 / s, "accuracy": 0.5}
            for p in ("dense", "finetune")
            for s in (1, 2)
        ],
        "examples": small_examples(),
        "class_similarity": np.eye(CLASSES) * 0.5 + 0.25,
        "class_attributes": np.eye(CLASSES),
        "attribute_names": ("red", "green", "blue", "long", EVIL),
        "feature_names": {14: "striped wing"},
        "solver": {"objective": 41.2, "gap": 0.0004, "epsilon": None, "nodes": 7},
        "trace": [
            {"seconds": 1.0, "objective": 40.0, "bound": None, "gap": None},
            {"seconds": 2.0, "objective": 41.2, "bound": 42.0, "gap": 0.019},
            {"seconds": 3.0, "objective": 41.2, "bound": 41.3, "gap": 0.0004},
        ],
        "facts": {"seed": 0, "config": {"dense": {"epochs": 20}}},
    }
    return ReportContents(**(contents | changes))


@pytest.fixture
def contents():
    """Returns a function: changes -> contents of a report."""
    return small_contents


@pytest.fixture
def evil():
    """Words that would run as a script if they were not escaped."""
    return EVIL
