"""What the metrics cost beside the forward passes that they are read from.

Run: `python -m benchmarks.evaluation_cost`

On an untrained network of the built-in birds' configuration, and noise with as much
truth as the birds have: processor seconds of the pass over each split with all of its
metrics, over those of the bare pass, which only makes the outputs. Compiled programs
are kept between the runs. Contrastiveness is fitted to the features afterwards,
deletion and insertion go through the network again; both are shown in forward passes.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial

import jax
import numpy as np

from configs import birds
from qpm_jax import metrics
from qpm_jax.datasets import Dataset, Split
from qpm_jax.phases import passes, perturb
from qpm_jax.phases.forward import stream
from qpm_jax.phases.setting import Setting, prepare

SIZE, CLASSES, PARTS, RUNS = 64, 50, 6, 3


def dataset(num_images: int) -> Dataset:
    """Returns noise with as much truth as the birds have: parts and attributes."""
    random = np.random.default_rng(0)

    def split() -> Split:
        return Split(
            random.integers(0, 256, (num_images, SIZE, SIZE, 3), np.uint8),
            np.sort(random.integers(0, CLASSES, num_images)).astype(np.int32),
            random.random((num_images, PARTS, SIZE, SIZE)) < 0.03,
        )

    parts = tuple(f"part{index}" for index in range(PARTS))
    attributes = (random.random((CLASSES, 8 * PARTS)) < 0.25).astype(float)
    return Dataset(
        name="noise",
        class_names=tuple(f"class {index}" for index in range(CLASSES)),
        train=split(),
        test=split(),
        image_size=(SIZE, SIZE),
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        class_attributes=attributes,
        attribute_names=tuple(f"{part}: {i}" for part in parts for i in range(8)),
        part_names=parts,
    )


def bare_pass(setting: Setting, model: passes.Model, split: Split) -> None:
    """Makes all outputs and looks at none."""
    for outputs in stream(setting, model.network, model.variables, split, "bare"):
        jax.block_until_ready(outputs.maps)


def seconds(action: Callable[[], object]) -> float:
    """Returns the processor's seconds, of all threads."""
    started = time.process_time()
    action()
    return time.process_time() - started


def compare(bare: Callable[[], object], full: Callable[[], object]) -> tuple:
    """Returns median seconds of both and the median ratio, in alternating runs."""
    bare(), full()  # compile
    pairs = [(seconds(bare), seconds(full)) for _ in range(RUNS)]
    ratio = statistics.median(full / bare for bare, full in pairs)
    return *(statistics.median(side) for side in zip(*pairs, strict=True)), ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5000, help="in each split")
    num_images = parser.parse_args().images
    with tempfile.TemporaryDirectory() as folder:
        jax.config.update("jax_compilation_cache_dir", f"{folder}/compiled")
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        setting = prepare(birds.get_config(), folder, dataset(num_images))
        variables = setting.initial_variables()
        weights = np.asarray(variables["params"]["head"]["kernel"]).T
        model = passes.Model(setting.network, variables, weights, weights)
        print(f"{jax.devices()[0].device_kind}, {num_images} images a split")
        print(f"{'split':10}{'forward s':>11}{'measured s':>12}{'ratio':>8}")
        data, forward = setting.dataset, 0.0
        for name, split, over in (
            ("training", data.train, passes.over_training),
            ("test", data.test, passes.over_test),
        ):
            bare = partial(bare_pass, setting, model, split)
            forward, full, ratio = compare(bare, partial(over, setting, model))
            print(f"{name:10}{forward:11.2f}{full:12.2f}{ratio:8.2f}")
        features = passes.over_training(setting, model).features
        for name, action in (
            ("contrastiveness", lambda: metrics.contrastiveness(features)),
            ("deletion and insertion", lambda: perturb.run(setting, model)),
        ):
            action()
            spent = seconds(action)
            print(f"{name}: {spent:.2f} s, {spent / forward:.2f} forward passes")


if __name__ == "__main__":
    main()
