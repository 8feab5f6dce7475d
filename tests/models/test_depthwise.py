import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.models.depthwise import (
    DepthwiseConv,
    _grouped_backward,
    depthwise_convolution,
)


def reference(inputs, kernel, strides, padding):
    return jax.lax.conv_general_dilated(
        inputs,
        kernel[:, :, None],
        strides,
        padding,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=inputs.shape[-1],
    )


def random_case(height, width, size, seed):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(2, height, width, 3)).astype(np.float32)
    kernel = rng.normal(size=(*size, 3)).astype(np.float32)
    return jnp.asarray(inputs), jnp.asarray(kernel)


def assert_same_forward_and_backward(inputs, kernel, strides, padding):
    @jax.jit
    def both(inputs, kernel):
        results = []
        for convolve in (depthwise_convolution, reference):
            outputs, pull_back = jax.vjp(
                lambda *args, convolve=convolve: convolve(*args, strides, padding),
                inputs,
                kernel,
            )
            wave = jnp.cos(jnp.arange(outputs.size, dtype=jnp.float32))
            results.append((outputs, *pull_back(wave.reshape(outputs.shape))))
        return results

    ours, theirs = both(inputs, kernel)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "size", "stride"),
    [((8, 8), 3, 2), ((7, 9), 3, 1), ((8, 9), 5, 2), ((7, 8), 5, 1)],
)
def test_it_equals_the_grouped_convolution_forward_and_backward(stride, size, shape):
    inputs, kernel = random_case(*shape, (size, size), seed=size)
    assert_same_forward_and_backward(inputs, kernel, (stride, stride), "SAME")


@settings(max_examples=8, deadline=None)
@given(
    height=st.integers(4, 7),
    width=st.integers(4, 7),
    size=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.sampled_from(["SAME", "VALID", ((1, 0), (0, 2)), ((3, 3), (4, 1))]),
    seed=st.integers(0, 9),
)
def test_any_shape_stride_and_padding_gives_the_same(
    height, width, size, strides, padding, seed
):
    inputs, kernel = random_case(height, width, size, seed)
    assert_same_forward_and_backward(inputs, kernel, strides, padding)


def test_it_works_under_jit_and_vmap():
    inputs, kernel = random_case(6, 6, (3, 3), seed=0)
    batched = jax.jit(jax.vmap(lambda image: depthwise_convolution(image, kernel)))
    np.testing.assert_allclose(
        batched(inputs[:, None])[:, 0],
        depthwise_convolution(inputs, kernel),
        rtol=1e-6,
        atol=1e-6,
    )


def test_the_accelerator_path_has_the_same_gradients():
    inputs, kernel = random_case(5, 6, (3, 3), seed=1)
    pads = ((1, 1), (1, 1))
    cotangent = jnp.sin(inputs)
    ours = jax.vjp(depthwise_convolution, inputs, kernel)[1](cotangent)
    theirs = _grouped_backward(inputs, kernel, cotangent, (1, 1), pads)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-5)


def test_a_kernel_for_another_number_of_channels_is_refused():
    with pytest.raises(ValueError, match=r"kernel: shape \(3, 3, 2\); allowed .* 5"):
        depthwise_convolution(jnp.zeros((1, 4, 4, 5)), jnp.zeros((3, 3, 2)))


def test_the_layer_has_a_bias_only_where_asked():
    inputs = jnp.zeros((1, 4, 4, 5))
    with_bias = DepthwiseConv((3, 3)).init(jax.random.key(0), inputs)["params"]
    without = DepthwiseConv((3, 3), use_bias=False).init(jax.random.key(0), inputs)
    assert with_bias["kernel"].shape == (3, 3, 5)
    assert with_bias["bias"].shape == (5,)
    assert set(without["params"]) == {"kernel"}
