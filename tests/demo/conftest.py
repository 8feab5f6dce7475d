"""A run without a network: its features follow from the image, passes are counted."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from qpm_jax.run import Run

CLASSES, FEATURES = 5, 8


@dataclass(frozen=True)
class PretendRun(Run):
    """Class c has the features c to c + 3; brightness decides which are high."""

    passes: list = field(default_factory=list)

    def _outputs(self, images, kept):
        self.passes.append(len(images))
        grey = np.array([np.mean(image) for image in images]) / 255
        peaks = np.linspace(0, 1, FEATURES)
        features = 3 - 8 * np.abs(grey[:, None] - peaks)
        maps = np.abs(np.random.default_rng(0).normal(size=(len(images), 2, 3, 8)))
        named = {"logits": features @ self.assignment.T, "maps": maps}
        return tuple(named.get(name, features) for name in kept)


@pytest.fixture
def run():
    assignment = np.zeros((CLASSES, FEATURES), bool)
    for label in range(CLASSES):
        assignment[label, label : label + 4] = True
    return PretendRun(
        workdir=Path("nowhere"),
        class_names=("wren", "lark", "dove", "tit <b>", "owl"),
        feature_names=(*(f"feature {3 * f}" for f in range(7)), "red <i> bill"),
        selected=3 * np.arange(FEATURES),
        assignment=assignment,
        mean=np.zeros(FEATURES),
        std=np.ones(FEATURES),
        image_size=(16, 16),
        input_mean=(0.5, 0.5, 0.5),
        input_std=(0.2, 0.2, 0.2),
        fit="stretch",
        network=None,
        variables={},
    )


@pytest.fixture
def dark():
    """An image that the run takes for a wren."""
    return np.zeros((20, 30, 3), np.uint8)
