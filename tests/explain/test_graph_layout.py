"""The layout of a graph: labels side by side, neighbours near, inside the picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.explain.graph_layout import graph_layout


def random_graph(seed, count, share):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((count, count)) < share, k=1)
    sizes = np.stack([rng.uniform(30, 170, count), np.full(count, 22.0)], axis=1)
    return upper | upper.T, sizes


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.integers(2, 40), st.floats(0.0, 0.3))
def test_no_label_covers_another_or_leaves_the_picture(seed, count, share):
    adjacent, sizes = random_graph(seed, count, share)
    layout = graph_layout(adjacent, sizes, 600.0)
    placed = adjacent.any(axis=1)
    assert np.isnan(layout.centres[~placed]).all()
    centres, boxes = layout.centres[placed], sizes[placed]
    apart = np.abs(centres[:, None] - centres[None])
    free = (apart >= (boxes[:, None] + boxes[None]) / 2).any(axis=2)
    assert free[~np.eye(len(boxes), dtype=bool)].all()
    assert (centres - boxes / 2 >= -1e-6).all()
    assert (centres + boxes / 2 <= (layout.width + 1e-6, layout.height + 1e-6)).all()


def test_two_hundred_nodes_in_one_piece_fit_the_width():
    adjacent, sizes = random_graph(0, 200, 0.03)
    layout = graph_layout(adjacent, sizes, 1032.0)
    assert layout.width == 1032
    assert layout.height < 3200


def test_neighbours_are_nearer_than_others():
    count = 12
    ring = np.roll(np.eye(count, dtype=bool), 1, axis=1)
    adjacent = ring | ring.T
    layout = graph_layout(adjacent, np.full((count, 2), 20.0), 600.0)
    distances = np.linalg.norm(layout.centres[:, None] - layout.centres[None], axis=2)
    others = ~adjacent & ~np.eye(count, dtype=bool)
    assert distances[adjacent].max() < np.median(distances[others])


def test_lines_pass_beside_the_labels_between():
    triangle_with_tail = np.zeros((4, 4), bool)
    for i, j in ((0, 1), (1, 2), (0, 2), (2, 3)):
        triangle_with_tail[i, j] = triangle_with_tail[j, i] = True
    sizes = np.full((4, 2), (120.0, 24.0))
    centres = graph_layout(triangle_with_tail, sizes, 1032.0).centres
    for i, j in np.argwhere(np.triu(triangle_with_tail)):
        line = np.linspace(centres[i], centres[j], 200)
        for other in {0, 1, 2, 3} - {i, j}:
            inside = np.abs(line - centres[other]) < sizes[other] / 2
            assert not inside.all(axis=1).any()


def test_a_graph_without_edges_is_an_empty_picture():
    layout = graph_layout(np.zeros((3, 3)), np.full((3, 2), 20.0), 600.0)
    assert layout.height == 0


def test_the_same_graph_gives_the_same_picture():
    adjacent, sizes = random_graph(3, 20, 0.2)
    first, second = (graph_layout(adjacent, sizes, 500.0) for _ in range(2))
    np.testing.assert_array_equal(first.centres, second.centres)


def test_what_is_no_graph_is_refused():
    with pytest.raises(ValueError, match="symmetric"):
        graph_layout([[0, 1], [0, 0]], np.ones((2, 2)), 100.0)
    with pytest.raises(ValueError, match="sizes has shape"):
        graph_layout(np.zeros((2, 2)), np.ones((3, 2)), 100.0)
