"""The published search for ε (PAPERS 1.6), to be completed."""

import numpy as np
from jaxtyping import Float, Int


def published_threshold(
    redundancy: Float[np.ndarray, "F F"], num_features: int
) -> tuple[float, Int[np.ndarray, " n"]] | None:
    """Not built yet."""
    raise ValueError("method='published' is not available yet; use method='native'.")
