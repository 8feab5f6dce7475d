"""How long it takes to certify a trained convolution, image by image.

    python -m benchmarks.conv_verification

Two 3×3 filters on scikit-learn's digits (8×8 pixels), a quarter of which is for
testing; the first ten of these are verified by HiGHS with one thread. A wrong answer
has radius 0.
"""

import time

import numpy as np
from absl import app, flags
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from qpm_jax.networks import MILPConvClassifier, certified_radius

IMAGES = flags.DEFINE_integer("images", 10, "Test images that are verified.")
SECONDS = flags.DEFINE_float("seconds", 30.0, "Time limit of the training.")


def main(_: list[str]) -> None:
    """Prints a line for each kind of pooling."""
    images, labels = load_digits(return_X_y=True)
    pixels = np.reshape(images, (-1, 8, 8)) / 16
    train, test, train_labels, test_labels = train_test_split(
        pixels, labels, test_size=0.25, stratify=labels, random_state=0
    )
    print("| pooling | accuracy | median radius | proven | median s | largest s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for pooling in ("max", "average"):
        model = MILPConvClassifier(
            pooling=pooling, time_limit=SECONDS.value, threads=1, random_state=0
        ).fit(train, train_labels)
        radii, seconds, proven = [], [], 0
        for image, label in zip(test, test_labels[: IMAGES.value], strict=False):
            began = time.perf_counter()
            found = certified_radius(
                model.network_,
                image,
                int(label),
                model.codes_,
                time_limit=600.0,
                threads=1,
            )
            seconds.append(time.perf_counter() - began)
            radii.append(found.bound)
            proven += found.value - found.bound <= 1e-6
        print(
            f"| {pooling} | {model.score(test, test_labels):.1%}"
            f" | {np.median(radii):.3f} | {proven} of {len(radii)}"
            f" | {np.median(seconds):.1f} | {max(seconds):.1f} |"
        )


if __name__ == "__main__":
    app.run(main)
