"""One streamed pass over each split for the metrics that need it, on the device.

Of the training images only their features come back to the host, which contrastiveness
fits its mixtures to; everything else is a sum that each batch adds to.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from qpm_jax import distributed, metrics
from qpm_jax.phases import truth
from qpm_jax.phases.forward import Outputs, stream
from qpm_jax.phases.setting import Setting

SID_FEATURES = 5
# How many of the most frequent confusions are explained.
CONFUSIONS = 20


class Model(NamedTuple):
    """A network to measure.

    Attributes:
      network: Dense network or QPM.
      variables: Its variables.
      weights: Class weights over its features.
      map_weights: Weights with which the features' maps sum to a class's map; those of
        QPM are divided by the standard deviations its head divides features by.
      channels: Of QPM, the features' channels in the backbone. Its confusions are
        explained; a dense model's many features explain nothing.
    """

    network: nn.Module
    variables: Any
    weights: Float[np.ndarray, "C F"]
    map_weights: Float[np.ndarray, "C F"]
    channels: Int[np.ndarray, " F"] | None = None


class TrainingFigures(NamedTuple):
    """What is known after the training images.

    Attributes:
      features: Of every image.
      class_means: Mean of each feature over each class.
      class_independence: The metric.
      correlation: The metric.
      dependence: The metric.
      lifts: Of every feature for every attribute; None without attributes of images.
    """

    features: Float[np.ndarray, "N F"]
    class_means: Float[np.ndarray, "C F"]
    class_independence: float
    correlation: float
    dependence: float
    lifts: Float[np.ndarray, "F A"] | None


class HeldOutFigures(NamedTuple):
    """What is known after the test images.

    Attributes:
      accuracy: The metric.
      sid_at_5: The metric; None where no class has five features.
      plausibility: The shares of each of `truth.mask_names`; None without masks.
      coverage: Share of the positions each mask covers, what a blind map would get.
      confusions: The most frequent ones.
    """

    accuracy: float
    sid_at_5: float | None
    plausibility: Float[np.ndarray, " M"] | None
    coverage: Float[np.ndarray, " M"] | None
    confusions: tuple[metrics.Confusion, ...]


def over_training(setting: Setting, model: Model) -> TrainingFigures:
    """Reads the training images once."""
    dataset = setting.dataset
    attributes = truth.image_attributes(dataset, dataset.train)
    num_features = model.weights.shape[1]
    states: dict[str, Any] = {
        "activation": metrics.class_activation_init(setting.num_classes, num_features),
        "correlation": metrics.correlation_init(num_features),
        "dependence": metrics.dependence_init(),
    }
    if attributes is not None:
        states["alignment"] = metrics.alignment_init(num_features, attributes.shape[1])
    update = _everywhere(setting, _training_update)
    states, weights = _placed(setting, states, model)
    rows: list[Any] = []
    for outputs in _stream(setting, model, dataset.train, "evaluate train"):
        batch = outputs.batch
        shown = None if attributes is None else attributes[batch["index"]]
        states = update(
            states,
            weights,
            outputs.logits,
            outputs.features,
            batch["label"],
            batch["valid"],
            shown,
        )
        # A batch late: the device is not waited for.
        rows.append((outputs.features, batch["valid"]))
        if len(rows) > 1:
            rows[-2] = _valid_rows(*rows[-2])
    rows[-1] = _valid_rows(*rows[-1])
    return TrainingFigures(
        features=np.concatenate(rows),
        class_means=metrics.class_means(states["activation"]),
        class_independence=metrics.class_independence_finish(states["activation"]),
        correlation=metrics.correlation_finish(states["correlation"]),
        dependence=metrics.dependence_finish(states["dependence"]),
        lifts=metrics.alignment_finish(states["alignment"])
        if attributes is not None
        else None,
    )


def _everywhere(setting: Setting, update: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles an update; what it returns lies whole on every device of every host."""
    return jax.jit(update, out_shardings=distributed.replicated(setting.mesh))


def _placed(
    setting: Setting, states: dict[str, Any], model: Model
) -> tuple[dict[str, Any], Float[Array, "C F"]]:
    """Returns first states and class weights, whole on every device.

    There an update leaves its states, so that one program serves the first batch too.
    """
    everywhere = distributed.replicated(setting.mesh)
    weights = jnp.asarray(model.weights, jnp.float32)
    return distributed.place((states, weights), everywhere)


def _stream(setting: Setting, model: Model, split: Any, title: str) -> Any:
    return stream(setting, model.network, model.variables, split, title)


def _valid_rows(features: Array, valid: np.ndarray) -> np.ndarray:
    return np.asarray(features)[valid]


def _training_update(
    states: dict[str, Any],
    weights: Float[Array, "C F"],
    logits: Float[Array, "B C"],
    features: Float[Array, "B F"],
    labels: Int[Array, " B"],
    valid: Array,
    attributes: Int[Array, "B A"] | None,
) -> dict[str, Any]:
    new: dict[str, Any] = {
        "activation": metrics.class_activation_update(
            states["activation"], features, labels, valid
        ),
        "correlation": metrics.correlation_update(
            states["correlation"], features, valid
        ),
        "dependence": metrics.dependence_update(
            states["dependence"], features, logits, weights, valid
        ),
    }
    if attributes is not None:
        new["alignment"] = metrics.alignment_update(
            states["alignment"], features, attributes, valid
        )
    return new


def over_test(setting: Setting, model: Model) -> HeldOutFigures:
    """Reads the test images once."""
    split = setting.dataset.test
    num_masks = len(truth.mask_names(setting.dataset))
    states: dict[str, Any] = {"accuracy": metrics.accuracy_init()}
    if np.any((model.weights != 0).sum(axis=1) >= SID_FEATURES):
        states["sid"] = metrics.sid_init()
    if split.part_masks is not None:
        states["plausibility"] = metrics.plausibility_init(num_masks)
    if model.channels is not None:
        states["confusions"] = metrics.confusions_init(*model.weights.shape)
    update = _everywhere(setting, _test_update)
    states, weights = _placed(setting, states, model)
    covered = np.zeros(num_masks)
    for outputs in _stream(setting, model, split, "evaluate test"):
        masks = truth.masks_on_maps(
            split,
            outputs.batch["index"],
            setting.image_size,
            setting.config.fit,
            outputs.maps.shape[1:3],
        )
        if masks is not None:
            covered += masks[outputs.batch["valid"]].mean(axis=(1, 2)).sum(axis=0)
            masks = masks.astype(np.float32)
        batch = {name: outputs.batch[name] for name in ("label", "valid")}
        states = update(states, weights, outputs._replace(batch=batch), masks)
    return _test_result(states, model, covered / len(split))


def _test_update(
    states: dict[str, Any],
    weights: Float[Array, "C F"],
    outputs: Outputs,
    masks: Float[Array, "B H W M"] | None,
) -> dict[str, Any]:
    batch, logits = outputs.batch, outputs.logits
    labels, valid = batch["label"], batch["valid"]
    new: dict[str, Any] = {
        "accuracy": metrics.accuracy_update(states["accuracy"], logits, labels, valid)
    }
    if "sid" in states:
        new["sid"] = metrics.sid_update(
            states["sid"], outputs.maps, logits, weights, SID_FEATURES, valid
        )
    if masks is not None:
        new["plausibility"] = metrics.plausibility_update(
            states["plausibility"], outputs.maps, logits, weights, masks, valid
        )
    if "confusions" in states:
        new["confusions"] = metrics.confusions_update(
            states["confusions"], outputs.features, logits, labels, valid
        )
    return new


def _test_result(
    states: dict[str, Any], model: Model, coverage: Float[np.ndarray, " M"]
) -> HeldOutFigures:
    seen, explained = "plausibility" in states, "confusions" in states
    return HeldOutFigures(
        accuracy=metrics.accuracy_finish(states["accuracy"]),
        sid_at_5=metrics.sid_finish(states["sid"]) if "sid" in states else None,
        plausibility=metrics.plausibility_finish(states["plausibility"])
        if seen
        else None,
        coverage=coverage if seen else None,
        confusions=metrics.confusions_finish(
            states["confusions"], model.weights, CONFUSIONS
        )
        if explained
        else (),
    )
