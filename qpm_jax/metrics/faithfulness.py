"""Faithfulness: is what the explanation points at what the decision rests on?

The deletion and insertion curves of RISE (Petsiuk et al., 2018, arXiv 1806.07421). An
explanation ranks the positions of an image. Deletion blanks them from the most
important on and watches the probability of the predicted class fall; insertion shows
them on a blank image in the same order and watches it rise. The area under the first
should be small, under the second large.

The features are explained by their maps, so it is their maps that order the positions:
the class activation map of the predicted class's k features. Taking the features'
contributions out of the class score instead would prove nothing, as QPM's score is by
construction their sum. Blank means the mean colour, 0 after normalisation, for both
curves (RISE inserts into a blurred image): so a random order has one curve that is read
backwards for insertion, and it is measured beside the explained one. Blank images are
unlike any the network has seen; values are for comparison, not for themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from qpm_jax.statistics import inputs

Predict = Callable[[Float[Array, "N h w D"]], Float[Array, "N C"]]


@flax.struct.dataclass
class FaithfulnessState:
    """Sums over the samples so far.

    Attributes:
        deletion: of the class's probability after each step of deletion.
        insertion: the same of insertion.
        random: the same of deletion in a random order.
        counted: number of samples.
    """

    deletion: Float[Array, " S"]
    insertion: Float[Array, " S"]
    random: Float[Array, " S"]
    counted: Int[Array, ""]


@dataclass(frozen=True)
class Faithfulness:
    """Mean curves from untouched (first) to fully changed (last), and their areas.

    Attributes:
        deletion: probability of the predicted class as its positions are blanked.
        insertion: the same as they are shown on a blank image.
        random: the same as `deletion`, in a random order.
        deletion_area: smaller is better; `random_area` is what chance gives.
        insertion_area: larger is better.
        random_area: of a random order, for both.
    """

    deletion: Float[np.ndarray, " S"]
    insertion: Float[np.ndarray, " S"]
    random: Float[np.ndarray, " S"]

    @property
    def deletion_area(self) -> float:
        """Area under `deletion`, in [0, 1]."""
        return area_under(self.deletion)

    @property
    def insertion_area(self) -> float:
        """Area under `insertion`, in [0, 1]."""
        return area_under(self.insertion)

    @property
    def random_area(self) -> float:
        """Area under `random`, in [0, 1]."""
        return area_under(self.random)


def faithfulness(
    predict: Predict,
    images: Float[ArrayLike, "N h w D"],
    importance: Float[ArrayLike, "N H W"],
    steps: int = 8,
    seed: int = 0,
) -> Faithfulness:
    """Returns the curves of samples held whole; 3·steps − 1 passes of the network.

    Args:
        predict: the network, from normalised images to logits; pure and jittable.
        images: normalised images, 0 where they have the mean colour.
        importance: of each position for the predicted class, such as
            `class_map.class_map`; a position stands for its rectangle of pixels.
        steps: in how many equal steps all positions are changed.
        seed: of the random order, and of the order among equally important positions.

    Raises:
        ValueError: shapes that do not fit, NaN, or steps below 1 or above H·W.
    """
    images = inputs.table("images", images, "NhwD")
    importance = inputs.table("importance", importance, "NHW")
    if len(importance) != len(images):
        raise ValueError(
            f"importance must have the {len(images)} samples of images, got "
            f"{len(importance)}"
        )
    positions = importance[0].size
    if inputs.at_least_one("steps", steps) > positions:
        raise ValueError(
            f"steps must be at most the {positions} positions of importance, got "
            f"{steps}"
        )
    look = jax.jit(lambda images, shown: predict(show(images, shown)))
    pictures = _shown_positions(importance, steps, jax.random.key(seed))
    logits = jnp.stack([look(images, shown) for shown in pictures])
    return faithfulness_finish(_update(faithfulness_init(steps), logits))


def faithfulness_init(steps: int) -> FaithfulnessState:
    """Returns the state before any sample.

    Raises:
        ValueError: steps below 1.
    """
    zeros = jnp.zeros(inputs.at_least_one("steps", steps) + 1, jnp.float32)
    return FaithfulnessState(
        deletion=zeros,
        insertion=zeros,
        random=zeros,
        counted=jnp.zeros((), jnp.int32),
    )


def shown_positions(
    importance: Float[ArrayLike, "N H W"], steps: int, key: Array
) -> Bool[Array, "Q N H W"]:
    """Returns what each picture still shows; pure and jittable with `steps` static.

    Args:
        importance: of each position for the predicted class.
        steps: in how many equal steps all positions are changed.
        key: of the random orders; another one for every batch.

    Returns:
        Q = 3·steps − 1 pictures of each sample: whole, blank, then the inner points of
        deletion, of insertion, and of deletion in a random order.
    """
    noise = jax.random.uniform(key, (2, *jnp.shape(importance)))
    order = _ranks(-jnp.asarray(importance, jnp.float32), noise[0])
    shuffled = _ranks(noise[1], noise[0])
    ends = jnp.ceil(jnp.arange(1, steps) * (order[0].size / steps))
    changed = order[None] < ends[:, None, None, None]
    at_random = shuffled[None] < ends[:, None, None, None]
    whole = jnp.ones((1, *order.shape), bool)
    return jnp.concatenate([whole, ~whole, ~changed, changed, ~at_random])


_shown_positions = jax.jit(shown_positions, static_argnums=1)


def show(
    images: Float[ArrayLike, "N h w D"], shown: Bool[ArrayLike, "N H W"]
) -> Float[Array, "N h w D"]:
    """Returns normalised images with the positions that are not shown at 0."""
    images = jnp.asarray(images)
    pixels = jax.image.resize(jnp.asarray(shown), images.shape[:3], "nearest")
    return jnp.where(pixels[..., None], images, 0.0)


def faithfulness_update(
    state: FaithfulnessState,
    logits: Float[ArrayLike, "Q N C"],
    valid: Bool[ArrayLike, " N"] | None = None,
) -> FaithfulnessState:
    """Returns the state after one more batch; pure and jittable.

    Args:
        state: what came before.
        logits: the network's, of each of `shown_positions`.
        valid: samples that count, all by default; the others may hold anything.
    """
    probabilities = jax.nn.softmax(jnp.asarray(logits, jnp.float32), axis=-1)
    num = probabilities.shape[1]
    valid = jnp.ones(num, bool) if valid is None else jnp.asarray(valid)
    predicted = jnp.argmax(probabilities[0], axis=-1)[None, :, None]
    chosen = jnp.take_along_axis(probabilities, predicted, axis=-1)[..., 0]
    sums = jnp.sum(jnp.where(valid, chosen, 0.0), axis=-1)
    inner = len(state.deletion) - 2
    places = [1, 2, 2 + inner, 2 + 2 * inner]
    whole, blank, deletion, insertion, random = jnp.split(sums, places)
    return FaithfulnessState(
        deletion=state.deletion + jnp.concatenate([whole, deletion, blank]),
        insertion=state.insertion + jnp.concatenate([blank, insertion, whole]),
        random=state.random + jnp.concatenate([whole, random, blank]),
        counted=state.counted + jnp.sum(valid, dtype=jnp.int32),
    )


_update = jax.jit(faithfulness_update)


def _ranks(
    values: Float[Array, "N H W"], ties: Float[Array, "N H W"]
) -> Int[Array, "N H W"]:
    """Returns the place of each position in rising order, 0 for the smallest."""
    num = len(values)
    flat, noise = values.reshape(num, -1), ties.reshape(num, -1)
    order = jnp.lexsort((noise, flat), axis=-1)
    return jnp.argsort(order, axis=-1).reshape(values.shape)


def faithfulness_finish(state: FaithfulnessState) -> Faithfulness:
    """Returns the mean curves of all samples given; zeros without any."""
    counted = max(int(state.counted), 1)
    sums = (state.deletion, state.insertion, state.random)
    return Faithfulness(*(np.asarray(s, np.float64) / counted for s in sums))


def area_under(curve: Float[ArrayLike, " S"]) -> float:
    """Returns the area under a curve of equal steps over [0, 1], by trapezoids."""
    curve = np.asarray(curve, np.float64)
    return float(np.mean((curve[1:] + curve[:-1]) / 2))
