"""Where the labelled nodes of a graph go, so that no label covers another.

Each connected component is laid out alone, its graph distances turned into distances
in the plane (SMACOF, de Leeuw 1977), its labels pushed apart, and the components set in
rows. Nothing is random: the same graph gives the same picture.
"""

from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int

_GAP_X, _GAP_Y = 12.0, 14.0
_BETWEEN = 34.0
# Neighbours stand further apart, so that something of their line is seen.
_LINE_X, _LINE_Y = 34.0, 20.0
_ROUNDS = 400


class Layout(NamedTuple):
    """Positions of a graph's nodes in a picture.

    Attributes:
        centres: x and y; NaN for nodes without a neighbour, which are not placed.
        width: of the picture.
        height: of the picture.
    """

    centres: Float[np.ndarray, "C 2"]
    width: float
    height: float


def graph_layout(
    adjacent: Bool[ArrayLike, "C C"],
    sizes: Float[ArrayLike, "C 2"],
    width: float,
) -> Layout:
    """Places the nodes that have a neighbour.

    Args:
        adjacent: symmetric.
        sizes: width and height of every node's label.
        width: of the picture; wider where a single label is.

    Returns:
        Centres between 0 and the picture's width and height.

    Raises:
        ValueError: if `adjacent` is not symmetric or the shapes differ.
    """
    from scipy.sparse.csgraph import connected_components

    linked, boxes = np.asarray(adjacent, bool), np.asarray(sizes, np.float64)
    count = len(linked)
    if linked.shape != (count, count) or (linked != linked.T).any():
        raise ValueError(f"adjacent has shape {linked.shape}; it must be symmetric")
    if boxes.shape != (count, 2):
        raise ValueError(f"sizes has shape {boxes.shape}; {count} nodes need 2 each")
    _, membership = connected_components(linked)
    members = [np.flatnonzero(membership == i) for i in range(membership.max() + 1)]
    members = sorted((m for m in members if len(m) > 1), key=len, reverse=True)
    width = max(width, float(boxes[:, 0].max(initial=0)))
    centres = np.full((count, 2), np.nan)
    groups = []
    for nodes in members:
        centres[nodes] = _component(linked[np.ix_(nodes, nodes)], boxes[nodes], width)
        groups.append(_extent(centres[nodes], boxes[nodes]))
    offsets, height = _rows(groups, width)
    for nodes, offset in zip(members, offsets, strict=True):
        centres[nodes] += offset
    return Layout(centres, width, height)


def _component(
    linked: Bool[np.ndarray, "m m"], sizes: Float[np.ndarray, "m 2"], width: float
) -> Float[np.ndarray, "m 2"]:
    """Returns positions of one connected component, its corner at the origin."""
    from scipy.sparse.csgraph import shortest_path

    points = _stress_points(shortest_path(linked, unweighted=True))
    span = np.maximum(np.ptp(points, axis=0), 1e-9)
    area = 1.8 * ((sizes[1:, 0] + _GAP_X) * (sizes[1:, 1] + _GAP_Y)).sum()
    wide = min(width - sizes[:, 0].max(), 1.3 * float(np.sqrt(area)))
    target = np.array([max(wide, 0.0), area / max(wide, sizes[:, 0].max())])
    # A path or a pair has no height: its labels go one below the other.
    flat = span < 1e-6
    points = (points - points.min(axis=0)) / span * target * ~flat
    points[:, flat] += np.arange(len(points))[:, None] * 1e-3
    gaps = linked[..., None] * (_LINE_X, _LINE_Y) + (_GAP_X, _GAP_Y)
    points = _pushed_apart(points, sizes, gaps, width)
    return points - (points - sizes / 2).min(axis=0)


def _stress_points(
    distances: Float[np.ndarray, "m m"], iterations: int = 120
) -> Float[np.ndarray, "m 2"]:
    """Returns points in the plane whose distances are near those given."""
    count = len(distances)
    angles = 2 * np.pi * np.arange(count) * (np.sqrt(5) - 1) / 2
    radius = np.sqrt(np.arange(count) + 0.5) * distances.max() / np.sqrt(count)
    points = np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)
    weights = 1 / np.maximum(distances, 1) ** 2
    np.fill_diagonal(weights, 0)
    laplacian = np.diag(weights.sum(axis=1)) - weights
    inverse = np.linalg.pinv(laplacian)
    for _ in range(iterations):
        now = np.linalg.norm(points[:, None] - points[None], axis=2)
        ratio = np.divide(distances, now, out=np.zeros_like(now), where=now > 1e-9)
        pulled = -weights * ratio
        np.fill_diagonal(pulled, -pulled.sum(axis=1))
        points = inverse @ (pulled @ points)
    # The longest direction lies across the picture, where there is most room.
    _, _, axes = np.linalg.svd(points - points.mean(axis=0))
    return points @ axes.T


def _pushed_apart(
    points: Float[np.ndarray, "m 2"],
    sizes: Float[np.ndarray, "m 2"],
    gaps: Float[np.ndarray, "m m 2"],
    width: float,
) -> Float[np.ndarray, "m 2"]:
    """Moves labels, no further than needed, until none covers another."""
    needed = (sizes[:, None] + sizes[None]) / 2 + gaps
    half = sizes[:, 0] / 2
    for step in range(10_000):
        difference = points[:, None] - points[None]
        overlap = needed - np.abs(difference)
        np.einsum("iik->ik", overlap)[:] = 0
        covered = (overlap > 1e-6).all(axis=2)
        if not covered.any():
            break
        # Across where that is the shorter way, down where it is not.
        across = covered & (overlap[..., 0] < overlap[..., 1])
        down = covered & ~across
        side = _sides(difference)
        push = np.stack([across, down], axis=2) * overlap * side
        points = points + 0.3 * push.sum(axis=1)
        points[:, 0] = np.clip(points[:, 0], half, np.maximum(width - half, half))
        if step > _ROUNDS:  # too tight: more room below
            points[:, 1] *= 1.004
    return points


def _sides(difference: Float[np.ndarray, "m m 2"]) -> Float[np.ndarray, "m m 2"]:
    """Returns which way each label moves from each other one; by number on a tie."""
    count = len(difference)
    order = np.sign(np.arange(count)[:, None] - np.arange(count)[None])[..., None]
    return np.where(np.abs(difference) > 1e-9, np.sign(difference), order)


def _extent(
    centres: Float[np.ndarray, "m 2"], sizes: Float[np.ndarray, "m 2"]
) -> Float[np.ndarray, " 2"]:
    return (centres + sizes / 2).max(axis=0)


def _rows(
    groups: list[Float[np.ndarray, " 2"]], width: float
) -> tuple[list[Int[np.ndarray, " 2"]], float]:
    """Sets boxes in rows from left to right; returns their corners and the height."""
    corners: list[np.ndarray] = []
    x = y = tall = 0.0
    for group in groups:
        if x and x + group[0] > width:
            x, y, tall = 0.0, y + tall + _BETWEEN, 0.0
        corners.append(np.array([x, y]))
        x, tall = x + group[0] + _BETWEEN, max(tall, float(group[1]))
    return corners, y + tall
