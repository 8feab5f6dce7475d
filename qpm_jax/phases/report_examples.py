"""The photos of the report: which test images to show, and the maps laid over them.

One pass over the test images scores them; those chosen are looked at once more.
"""

from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from qpm_jax import datasets, distributed, explain
from qpm_jax.datasets.image_files import resize
from qpm_jax.phases import finetune
from qpm_jax.phases.forward import infer, stream
from qpm_jax.phases.setting import Setting

IMAGES_PER_FEATURE = 4
# The report shows pictures at most this large, in pixels a side.
LARGEST_PICTURE = 224


class Scored(NamedTuple):
    """What is known of every test image once its maps are gone.

    Attributes:
      features: Normalised values of the selected features.
      scores: How well the image shows its class; -inf where it was misclassified.
      labels: True classes.
    """

    features: Float[np.ndarray, "N n"]
    scores: Float[np.ndarray, " N"]
    labels: Int[np.ndarray, " N"]


def examples_of(
    setting: Setting, assignment: Bool[np.ndarray, "C n"]
) -> tuple[explain.Examples, Float[np.ndarray, "C n"]]:
    """Returns the photos of classes and features, and each class's mean features.

    Args:
      setting: The run's surroundings; its fine-tuning is done.
      assignment: Which features describe which class.

    Returns:
      A class's photo is one that was classified rightly and shows its features best; a
      feature's photos are those that excite it most. The means are over the test
      images, shifted so that the smallest of each feature is 0.
    """
    network, _ = finetune.qpm_network(
        setting.workdir, setting.network.backbone, dropout=0.0
    )
    variables = finetune.final_variables(
        setting.workdir,
        network,
        setting.image_size,
        distributed.replicated(setting.mesh),
    )
    scored = _score(setting, network, variables, assignment)
    shown = explain.best_per_class(scored.scores, scored.labels, setting.num_classes)
    top = explain.top_images(
        scored.features, scored.labels, IMAGES_PER_FEATURE, assignment=assignment
    )
    wanted = np.concatenate([shown[:, 0], top.ravel()])
    unique, places = np.unique(np.maximum(wanted, 0), return_inverse=True)
    images, maps = _look_at(setting, network, variables, unique)
    of_class, of_feature = np.split(np.where(wanted < 0, -1, places), [len(shown)])
    own = np.repeat(np.arange(len(top)), top.shape[1])
    examples = explain.Examples(
        images=images,
        labels=scored.labels[unique],
        of_class=of_class,
        class_maps=maps[of_class],
        of_feature=of_feature.reshape(top.shape),
        feature_maps=maps[of_feature, :, :, own].reshape(*top.shape, *maps.shape[1:3]),
    )
    return examples, _class_means(scored, setting.num_classes)


def _class_means(scored: Scored, num_classes: int) -> Float[np.ndarray, "C n"]:
    one_hot = np.eye(num_classes)[scored.labels]
    counts = np.maximum(one_hot.sum(axis=0), 1)[:, None]
    means = one_hot.T @ scored.features / counts
    return means - means.min(axis=0)


def _score(
    setting: Setting,
    network: nn.Module,
    variables: Any,
    assignment: Bool[np.ndarray, "C n"],
) -> Scored:
    """Scores every test image as an example of its class, batch by batch."""
    parts = []
    for outputs in stream(
        setting, network, variables, setting.dataset.test, "examples"
    ):
        valid = outputs.batch["valid"]
        features = np.asarray(outputs.features)[valid]
        labels = outputs.batch["label"][valid]
        scores = explain.example_scores(
            np.asarray(outputs.maps)[valid],
            features,
            labels,
            np.argmax(outputs.logits, axis=-1)[valid],
            assignment,
        )
        parts.append((features, scores, labels))
    return Scored(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _look_at(
    setting: Setting,
    network: nn.Module,
    variables: Any,
    indices: Int[np.ndarray, " P"],
) -> tuple[UInt8[np.ndarray, "P H W 3"], Float[np.ndarray, "P h w n"]]:
    """Returns pictures and maps of single test images."""
    function = jax.jit(partial(infer, network, setting.mean, setting.std))
    size = setting.evaluation_batch_size
    height, width = setting.image_size
    shrink = min(1.0, LARGEST_PICTURE / max(height, width))
    shown = round(height * shrink), round(width * shrink)
    images, maps = [], []
    for start in range(0, len(indices), size):
        wanted = indices[start : start + size]
        padded = np.pad(wanted, (0, size - len(wanted)), mode="edge")
        batch = datasets.gather(
            setting.dataset.test, padded, setting.image_size, setting.config.fit
        )
        pictures = batch["image"][: len(wanted)]
        images += [resize(image, shown) for image in pictures]
        maps.append(np.asarray(function(variables, batch["image"])[2])[: len(wanted)])
    return np.stack(images), np.concatenate(maps)
