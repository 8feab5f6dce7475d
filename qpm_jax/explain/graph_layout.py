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
# How far lines keep from labels that are not theirs, in pieces small enough for it.
_CLEAR, _CLEAR_UP_TO = 5.0, 30
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
    # Labels are wide and low, and so is a step from neighbour to neighbour.
    step = sizes.mean(axis=0) + np.array([_GAP_X, _GAP_Y + _LINE_Y])
    room = width - float(sizes[:, 0].max())
    step[0] *= min(1.0, room / max(float(np.ptp(points[:, 0])) * step[0], 1e-9))
    # From the middle, so that labels can move to either side.
    points = points * step + np.array([width / 2, 0.0])
    points = _pushed_apart(points, sizes, linked, width)
    return points - (points - sizes / 2).min(axis=0)


def _stress_points(
    distances: Float[np.ndarray, "m m"], iterations: int = 120
) -> Float[np.ndarray, "m 2"]:
    """Returns points in the plane whose distances are near those given."""
    points = _principal_points(distances)
    weights = 1 / np.maximum(distances, 1) ** 2
    np.fill_diagonal(weights, 0)
    inverse = np.linalg.pinv(np.diag(weights.sum(axis=1)) - weights)
    for _ in range(iterations):
        now = np.linalg.norm(points[:, None] - points[None], axis=2)
        ratio = np.divide(distances, now, out=np.zeros_like(now), where=now > 1e-9)
        pulled = -weights * ratio
        np.fill_diagonal(pulled, -pulled.sum(axis=1))
        points = inverse @ (pulled @ points)
    # The longest direction goes down the picture, where labels need less room.
    _, _, axes = np.linalg.svd(points - points.mean(axis=0))
    return (points @ axes.T)[:, ::-1]


def _principal_points(distances: Float[np.ndarray, "m m"]) -> Float[np.ndarray, "m 2"]:
    """Returns classical scaling, a little bent so that no two points fall together."""
    count = len(distances)
    centring = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(-0.5 * centring @ distances**2 @ centring)
    points = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0))
    angles = np.pi * (np.sqrt(5) - 1) * np.arange(count)
    return points + 0.05 * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _pushed_apart(
    points: Float[np.ndarray, "m 2"],
    sizes: Float[np.ndarray, "m 2"],
    linked: Bool[np.ndarray, "m m"],
    width: float,
) -> Float[np.ndarray, "m 2"]:
    """Moves labels until none covers another and, where that can be, a line."""
    gaps = linked[..., None] * (_LINE_X, _LINE_Y) + (_GAP_X, _GAP_Y)
    needed = (sizes[:, None] + sizes[None]) / 2 + gaps
    edges = np.argwhere(np.triu(linked))
    clear = len(points) <= _CLEAR_UP_TO
    half = sizes[:, 0] / 2
    for step in range(10_000):
        push, covered = _from_labels(points, needed)
        if step < _ROUNDS and clear:
            lines, crossed = _from_lines(points, sizes, edges)
            push, covered = push + lines, covered or crossed
        elif step > _ROUNDS:  # too tight: more room above and below
            points[:, 1] *= 1.004
        if not covered:
            break
        points = points + push
        points[:, 0] = np.clip(points[:, 0], half, np.maximum(width - half, half))
    return points


def _from_labels(
    points: Float[np.ndarray, "m 2"], needed: Float[np.ndarray, "m m 2"]
) -> tuple[Float[np.ndarray, "m 2"], bool]:
    """Returns how labels that cover each other move, and whether there are any."""
    difference = points[:, None] - points[None]
    overlap = needed - np.abs(difference)
    np.einsum("iik->ik", overlap)[:] = 0
    covered = (overlap > 1e-6).all(axis=2)
    # Across where that is the shorter way, down where it is not.
    across = covered & (overlap[..., 0] < overlap[..., 1])
    push = np.stack([across, covered & ~across], axis=2) * overlap * _sides(difference)
    return 0.3 * push.sum(axis=1), bool(covered.any())


def _from_lines(
    points: Float[np.ndarray, "m 2"],
    sizes: Float[np.ndarray, "m 2"],
    edges: Int[np.ndarray, "E 2"],
) -> tuple[Float[np.ndarray, "m 2"], bool]:
    """Returns how labels move off lines that are not theirs, and whether any must."""
    start, end = points[edges[:, 0]][:, None], points[edges[:, 1]][:, None]
    along = end - start
    along = np.where(np.abs(along) < 1e-6, 1e-6, along)
    half = sizes[None] / 2 + _CLEAR
    # Where the line enters and leaves the band of each label, across and down.
    bounds = (
        points[None] + np.array([-1, 1])[:, None, None, None] * half - start
    ) / along
    enter = np.maximum(bounds.min(axis=0).max(axis=2), 0)
    crossed = enter < np.minimum(bounds.max(axis=0).min(axis=2), 1)
    crossed[np.arange(len(edges))[:, None], edges] = False
    # The line at the height of the label, and at its middle.
    share = np.clip((points[None] - start) / along, 0, 1)
    away = points[None] - (start + share[..., ::-1] * along)
    steep = np.abs(along / along[..., ::-1])
    overlap = half + steep * half[..., ::-1] - np.abs(away)
    across = crossed & (overlap[..., 0] < 3 * overlap[..., 1])
    side = np.where(away >= 0, 1.0, -1.0)
    push = np.stack([across, crossed & ~across], axis=2) * overlap * side
    return 0.15 * push.sum(axis=0), bool(crossed.any())


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
