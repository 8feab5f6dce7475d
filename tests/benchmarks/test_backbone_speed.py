"""What the comparison with PyTorch makes of its measurements."""

import math

import jax
import jax.extend
import jax.numpy as jnp
import pytest

from qpm_jax import models

figures = pytest.importorskip(
    "benchmarks.backbone_speed.figures", reason="needs the repository's benchmarks"
)


def _counted(jaxpr):
    """Multiply-adds of all products and convolutions of a program, inner ones too."""
    total = 0
    for equation in jaxpr.eqns:
        for inner in jax.extend.core.jaxprs_in_params(equation.params):
            total += _counted(inner)
        shapes = [v.aval.shape for v in (*equation.invars, *equation.outvars)]
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            total += math.prod(shapes[-1]) * math.prod(
                shapes[0][axis] for axis in contracted
            )
        elif equation.primitive.name == "conv_general_dilated":
            total += math.prod(shapes[-1]) * math.prod(shapes[1][:-1])
    return total


def test_the_usual_resnet50_has_the_published_multiply_adds():
    """4.09 G at 224 pixels and 1000 classes, as torchvision states."""
    count = figures.multiply_adds(224, 1000, strides=(1, 2, 2, 2))
    assert count == pytest.approx(4.089e9, rel=1e-3)


def test_the_count_is_that_of_the_networks_own_products():
    network = models.create("resnet50", 200, reduced_strides=True)
    images = jax.ShapeDtypeStruct((1, 72, 72, 3), jnp.float32)
    variables = jax.eval_shape(network.init, jax.random.key(0), images)
    traced = jax.make_jaxpr(network.apply)(variables, images)
    assert _counted(traced.jaxpr) == figures.multiply_adds(72, 200)


def test_a_step_is_six_operations_a_multiply_add_and_image():
    assert figures.step_operations(4, 64, 10) == 24 * figures.multiply_adds(64, 10)


FACTS = {
    "jax": {"precision": "float32", "peak_flops": 2e12, "compile": 3.0},
    "torch": {"precision": "float32", "peak_flops": 1e12, "compile": 0.0},
    "jax-bfloat16": {"precision": "bfloat16", "peak_flops": 8e12, "compile": 4.0},
}


def test_the_peak_is_the_fastest_product_in_the_same_precision():
    peaks = [figures.peak_rate(arm, FACTS) for arm in FACTS]
    assert peaks == [2e12, 2e12, 8e12]


def test_a_row_has_medians_and_the_share_of_the_peak():
    def measured(train, forward):
        return {"train": train, "forward": forward, "statistics": 1.1, "memory": 1.5}

    rounds = [
        {"jax": measured(jax_seconds, 1.0), "torch": measured(2.0, 1.0)}
        for jax_seconds in (9.0, 4.0, 1.0)
    ]
    words = figures.row("jax", "torch", FACTS, rounds, 8, operations=4 * 10**12).split()
    # 8 images in 4 s, half as fast as torch, 1 of 2 TFLOP/s
    rates, rest = ["2.00", "0.50", "0.50"], ["2.000", "8.00", "1.10", "1.50", "3.0"]
    assert words == ["jax", *rates, *rest]
    for measured_round in rounds:
        del measured_round["jax"]["statistics"]
    without = figures.row("jax", "torch", FACTS, rounds, 8, operations=1).split()
    assert without[6] == "–"
    assert len(figures.HEADER) == len(
        figures.row("jax", "torch", FACTS, rounds, 8, operations=1)
    )
