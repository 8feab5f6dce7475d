"""Which features behave alike: continuous k-nearest neighbours on their columns.

Tule, Le, Say, arXiv 2112.00434, Fig. 4; the rule is Berry and Sauer's (2019): x and y
are joined iff d(x, y) < δ √(d(x, x_k) d(y, y_k)), where d is the Hamming distance of
columns and x_k the k-th nearest other column of x. δ and k are not published.
"""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, Int


def hamming_distances(features: Int[ArrayLike, "N F"]) -> Int[np.ndarray, "F F"]:
    """In how many instances two features differ.

    Args:
        features: whole numbers [N, F].

    Returns:
        int64 [F, F], symmetric, zero diagonal.

    Raises:
        ValueError: when it has another shape or no entry.
    """
    from scipy.spatial.distance import pdist, squareform

    rows = np.asarray(features)
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(
            f"features has shape {rows.shape}; it must be [N, F] with at least one"
            " instance and one feature."
        )
    if rows.shape[1] == 1:
        return np.zeros((1, 1), np.int64)
    shares = squareform(pdist(rows.T.astype(np.float64), "hamming"))
    return np.round(shares * len(rows)).astype(np.int64)


def feature_graph(
    features: Int[ArrayLike, "N F"], delta: float = 1.0, neighbours: int = 5
) -> Int[np.ndarray, "E 2"]:
    """The edges between features that behave alike.

    Columns of which `neighbours` others are the same have a distance of 0 to them, and
    by the rule no edge at all.

    Args:
        features: whole numbers [N, F].
        delta: δ > 0; more gives more edges.
        neighbours: k, 1 … F − 1.

    Returns:
        int64 [E, 2], i < j, in ascending order.

    Raises:
        ValueError: when δ or k is out of range, or features malformed.
    """
    distances = hamming_distances(features)
    count = len(distances)
    if not delta > 0:
        raise ValueError(f"delta is {delta!r}; it must be above 0.")
    if not 1 <= neighbours < count:
        raise ValueError(
            f"neighbours is {neighbours!r}; of {count} features it must be 1 …"
            f" {count - 1}."
        )
    others = distances[~np.eye(count, dtype=bool)].reshape(count, count - 1)
    reach = np.partition(others, neighbours - 1, axis=1)[:, neighbours - 1]
    # Squared, so that whole distances stay exact where δ is 1.
    joined = distances.astype(np.float64) ** 2 < delta**2 * np.outer(reach, reach)
    return np.argwhere(np.triu(joined, k=1))


def layout(
    edges: Int[ArrayLike, "E 2"], num_features: int, seed: int = 0, steps: int = 400
) -> Float[np.ndarray, "F 2"]:
    """Places of the features, joined ones near each other.

    Fruchterman and Reingold's forces (1991), from a circle, with a pull to the middle
    that keeps parts without edges in sight.

    Args:
        edges: pairs of features [E, 2].
        num_features: F, 1 or more.
        seed: of the small displacements that break the circle's symmetry.
        steps: of the simulation.

    Returns:
        float64 [F, 2], centred, within −1 … 1.
    """
    pairs = np.asarray(edges, np.int64).reshape(-1, 2)
    joined = np.zeros((num_features, num_features))
    joined[pairs[:, 0], pairs[:, 1]] = joined[pairs[:, 1], pairs[:, 0]] = 1.0
    angle = 2 * np.pi * np.arange(num_features) / num_features
    places = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    places += 0.05 * np.random.default_rng(seed).normal(size=places.shape)
    length = 1.8 / np.sqrt(num_features)
    for step in range(steps):
        apart = places[:, None] - places
        distance = np.maximum(np.linalg.norm(apart, axis=2), 1e-3)
        push = length**2 / distance**2 - 0.4 * joined * distance / length
        force = (push[..., None] * apart).sum(axis=1) - 0.6 * places
        size = np.maximum(np.linalg.norm(force, axis=1, keepdims=True), 1e-9)
        places = places + force / size * np.minimum(size, 0.1 * (1 - step / steps))
    places -= (places.max(axis=0) + places.min(axis=0)) / 2
    return places / np.maximum(np.abs(places).max(axis=0), 1e-9)
