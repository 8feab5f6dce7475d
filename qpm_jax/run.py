"""A trained run, opened for use: predict, features, maps and explanation of new images.

run = qpm_jax.load("runs/birds")
run.predict(images).labels
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from scipy.special import softmax

from qpm_jax.datasets.image_files import Fit, as_array, resize
from qpm_jax.explain.local import Explanation, explain
from qpm_jax.explain.local_maps import shown_size
from qpm_jax.explain.local_picture import draw_explanation
from qpm_jax.explain.names import feature_labels, feature_names
from qpm_jax.phases import assign, finetune, inputs
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.forward import infer
from qpm_jax.phases.setting import dense_network
from qpm_jax.phases.statistics import read_statistics

Image = Any  # a path, a PIL image or an array [h, w, 3] of uint8


@dataclass(frozen=True)
class Prediction:
    """What the model says of N images.

    Attributes:
      labels: Most likely class, int64 [N].
      class_names: Its name, N of them.
      probabilities: Softmax of the logits, float64 [N, C].
      logits: Sum of each class's normalised features, float64 [N, C].
      features: The normalised features the logits are sums of, float64 [N, n].
    """

    labels: Int[np.ndarray, " N"]
    class_names: tuple[str, ...]
    probabilities: Float[np.ndarray, "N C"]
    logits: Float[np.ndarray, "N C"]
    features: Float[np.ndarray, "N n"]


@dataclass(frozen=True)
class Look:
    """One image and all that one pass through the network says of it.

    Attributes:
      photo: What the network sees, larger and in the photo's own proportions.
      features: Normalised features, float64 [n].
      maps: Where each feature sees something, over the whole photo.
    """

    photo: UInt8[np.ndarray, "height width 3"]
    features: Float[np.ndarray, " n"]
    maps: Float[np.ndarray, "H W n"]


@dataclass(frozen=True)
class Run:
    """A trained QPM and all it needs to see new images.

    Attributes:
      workdir: Where the run lies.
      class_names: C names.
      feature_names: n names, those given with `explain.write_feature_names` or else
        `feature 17` for channel 17 of the backbone.
      selected: Channels of the backbone that were kept, int [n].
      assignment: Which features describe which class, bool [C, n].
      mean: Mean of the selected features over the training images, float [n].
      std: Their population standard deviation, float [n].
      image_size: (height, width) the network sees.
      input_mean: Channel means the input is normalised with, images in [0, 1].
      input_std: Channel standard deviations of the same.
      fit: How images of other sizes are brought to `image_size`.
      network: The Flax module with the binary head.
      variables: Its variables.
    """

    workdir: Path
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    selected: Int[np.ndarray, " n"]
    assignment: Bool[np.ndarray, "C n"]
    mean: Float[np.ndarray, " n"]
    std: Float[np.ndarray, " n"]
    image_size: tuple[int, int]
    input_mean: tuple[float, float, float]
    input_std: tuple[float, float, float]
    fit: Fit
    network: nn.Module
    variables: dict[str, Any]

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Returns classes and scores of any number of images.

        Args:
          images: Paths, PIL images or uint8 arrays [h, w, 3] of any size; one array
            [N, h, w, 3] serves as well.

        Raises:
          ValueError: An image cannot be read or has no three channels.
        """
        logits, features = self._outputs(images, ("logits", "features"))
        labels = logits.argmax(axis=1)
        return Prediction(
            labels=labels,
            class_names=tuple(self.class_names[label] for label in labels),
            probabilities=softmax(logits, axis=1),
            logits=logits,
            features=features,
        )

    def features(self, images: Sequence[Image]) -> Float[np.ndarray, "N n"]:
        """Returns the normalised features, those the class scores are sums of."""
        return self._outputs(images, ("features",))[0]

    def maps(self, images: Sequence[Image]) -> Float[np.ndarray, "N H W n"]:
        """Returns where each selected feature sees something; non-negative."""
        return self._outputs(images, ("maps",))[0]

    def look(self, image: Image, longest: int = 448) -> Look:
        """Returns what is needed to explain one image, from one pass.

        Args:
          image: A path, a PIL image or a uint8 array [h, w, 3].
          longest: The longer side of the photo, in pixels.

        Raises:
          ValueError: The image cannot be read or has no three channels.
        """
        array = as_array(image)
        size = (array.shape[0], array.shape[1])
        shown = shown_size(size, self.image_size, self.fit, longest)
        features, maps = self._outputs([array], ("features", "maps"))
        return Look(resize(array, shown, self.fit), features[0], maps[0])

    def explain(self, image: Image | Look, against: int | None = None) -> Explanation:
        """Returns why one image gets its class and not another.

        Args:
          image: An image, or what `look` returned of it.
          against: Label of the other class; the runner-up where None.

        Raises:
          ValueError: The image cannot be read, or `against` is the predicted class.
        """
        known = isinstance(image, Look)
        return explain(
            image.features if known else self.features([image])[0],
            self.assignment,
            self.selected,
            self.class_names,
            against,
            self.feature_names,
        )

    def draw(self, image: Image | Look, against: int | None = None) -> bytes:
        """Returns the explanation as a PNG picture: scores, features, where they look.

        Args:
          image: An image, or what `look` returned of it.
          against: Label of the other class; the runner-up where None.

        Raises:
          ValueError: As `explain`.
        """
        look = image if isinstance(image, Look) else self.look(image)
        explanation = self.explain(look, against)
        return draw_explanation(explanation, look.photo, look.maps, look.features)

    def read(self, images: Sequence[Image]) -> UInt8[np.ndarray, "N H W 3"]:
        """Returns the images as the network sees them, before normalisation."""
        return np.stack(
            [resize(as_array(image), self.image_size, self.fit) for image in images]
        )

    def _outputs(
        self, images: Sequence[Image], kept: tuple[str, ...]
    ) -> tuple[np.ndarray, ...]:
        """Returns the `kept` of logits, features and maps as float64.

        A bounded batch at a time; what is not kept is gone with its batch.
        """
        if isinstance(images, str | Path):
            raise ValueError(f"images is one path, {images}; give a list of images.")
        if len(images) == 0:
            raise ValueError("images is empty; give at least one image.")
        size = 32
        parts = []
        for start in range(0, len(images), size):
            batch = self.read(images[start : start + size])
            missing = size - len(batch) if len(images) > size else 0
            padded = np.pad(batch, [(0, missing), (0, 0), (0, 0), (0, 0)])
            outputs = self._infer(self.variables, padded)
            named = dict(zip(("logits", "features", "maps"), outputs, strict=True))
            parts.append([np.asarray(named[n], np.float64)[: len(batch)] for n in kept])
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    @cached_property
    def _infer(self) -> Any:
        return jax.jit(partial(infer, self.network, self.input_mean, self.input_std))


def load(workdir: str | Path) -> Run:
    """Opens a run whose fine-tuning is done; its data set is not needed.

    Args:
      workdir: Folder of the run.

    Raises:
      ValueError: There is no finished run, or a file of it is damaged.
    """
    workdir = Path(workdir).absolute()
    config = folders.read_config(workdir)
    folders.require(workdir, "finetune")
    expected = inputs.read(workdir)
    dense = dense_network(config, len(expected.class_names))
    network, _ = finetune.qpm_network(workdir, dense.backbone, dropout=0.0)
    selected, assignment = assign.read_assignment(workdir)
    statistics = read_statistics(workdir)
    return Run(
        workdir=workdir,
        class_names=expected.class_names,
        feature_names=feature_labels(selected, feature_names(workdir)),
        selected=selected,
        assignment=assignment,
        mean=statistics.mean[selected],
        std=statistics.std[selected],
        image_size=expected.image_size,
        input_mean=expected.mean,
        input_std=expected.std,
        fit=expected.fit,
        network=network,
        variables=finetune.final_variables(workdir, network, expected.image_size),
    )
