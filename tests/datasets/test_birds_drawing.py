"""The pencil of the built-in birds: distances, painting, what an attribute changes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qpm_jax.datasets import birds
from qpm_jax.datasets import birds_shapes as shapes
from qpm_jax.datasets.birds_attributes import GROUPS, PARTS
from qpm_jax.datasets.birds_drawing import Canvas, paint
from qpm_jax.datasets.birds_scene import pixel_grid


def at(*places):
    x, y = np.array(places, np.float32).T
    return jnp.asarray(x), jnp.asarray(y)


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        (lambda p: shapes.circle(p, (1.0, 0.0), 0.5), [0.5, 0.5]),
        (lambda p: shapes.ellipse(p, (0.0, 0.0), (1.0, 1.0)), [-1.0, 1.0]),
        (
            lambda p: shapes.tapered_line(p, (0.0, 0.0), (1.0, 0.0), (0.2, 0.1)),
            [-0.2, 0.9],
        ),
        (lambda p: shapes.half_plane(p, (0.0, 0.5), (1.0, 0.5)), [0.5, 0.5]),
    ],
)
def test_distances_are_those_to_the_outline(distance, expected):
    points = at((0.0, 0.0), (2.0, 0.0))
    np.testing.assert_allclose(distance(points), expected, atol=1e-2)


def test_an_ellipse_is_negative_at_its_very_centre():
    found = shapes.ellipse(at((0.0, 0.0), (0.3, 0.0)), (0.0, 0.0), (0.4, 0.2))
    np.testing.assert_allclose(found, [-0.2, -0.1], atol=1e-3)


def test_a_polygon_is_negative_inside_and_positive_outside():
    square = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
    found = shapes.convex_polygon(at((0.0, 0.0), (3.0, 0.0)), square)
    np.testing.assert_allclose(found, [-1.0, 2.0], atol=1e-6)


def test_a_smooth_union_fills_the_seam_and_is_plain_elsewhere():
    near, far = jnp.array([0.1, 0.1]), jnp.array([0.1, 5.0])
    found = shapes.smooth_union(near, far, 0.2)
    np.testing.assert_allclose(found, [0.05, 0.1], atol=1e-6)


def test_a_local_frame_is_moved_and_turned():
    x, y = shapes.local_frame(at((1.0, 2.0)), (1.0, 1.0), np.pi / 2)
    np.testing.assert_allclose([x[0], y[0]], [1.0, 0.0], atol=1e-6)


def test_painting_marks_the_part_on_top_and_forgets_what_it_covers():
    points = pixel_grid()
    size = points[0].shape
    canvas = Canvas(jnp.zeros((*size, 3)), jnp.zeros(size, jnp.int32), 32.0)
    canvas = paint(canvas, shapes.circle(points, (0.0, 0.0), 0.5), jnp.ones(3), "wing")
    canvas = paint(canvas, shapes.circle(points, (0.0, 0.0), 0.2), jnp.zeros(3))
    assert canvas.part[32, 32] == 0
    assert canvas.part[32, 42] == PARTS.index("wing") + 1
    assert canvas.part[0, 0] == 0
    np.testing.assert_allclose(canvas.colour[32, 42], 1.0)


@pytest.fixture(scope="module")
def one_changed():
    """One bird, then the same with each group changed by one value in turn."""
    changes = np.eye(len(GROUPS), dtype=np.int64)
    codes = np.zeros((birds._CHUNK, len(GROUPS)), np.int64)
    codes[1 : 1 + len(GROUPS)] = changes
    # As the data set draws, so that nothing is compiled twice; all from one key.
    with jax.default_device(birds._processor()):
        drawn = birds._draw_chunk(0, 0, np.full(birds._CHUNK, 5), codes)
    return tuple(piece[: 1 + len(GROUPS)] for piece in jax.device_get(drawn))


@pytest.mark.parametrize(
    "index", range(len(GROUPS)), ids=lambda i: " ".join(GROUPS[i][:2])
)
def test_an_attribute_changes_the_pixels_of_its_own_part_only(index, one_changed):
    images, parts = one_changed
    changed = np.abs(images[index + 1].astype(int) - images[0]).max(axis=2) > 8
    number = PARTS.index(GROUPS[index].part) + 1
    own = (parts[index + 1] == number) | (parts[0] == number)
    assert changed.sum() >= 8
    assert changed[own].sum() >= 0.6 * changed.sum()
    # Soft edges reach one pixel beyond the part.
    assert changed[_grown(own)].sum() >= 0.95 * changed.sum()


def _grown(mask):
    padded = np.pad(mask, 1)
    moved = [padded[1:-1, 2:], padded[1:-1, :-2], padded[2:, 1:-1], padded[:-2, 1:-1]]
    return np.any([mask, *moved], axis=0)
