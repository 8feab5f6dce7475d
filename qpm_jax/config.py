"""What a run is made of: every key, its default and its meaning.

Defaults are the published fine-grained setting (QPM, arXiv 2502.20130;
docs/formulas.md, Training), but for the backbone, which is the small one at hand, and
for a random shift of `augmentation.crop_padding` pixels with mirrored borders. A file
in `configs/` starts from `default()` and changes what its run needs;
`--config.KEY=VALUE` changes single keys. Keys that do not exist are refused.
"""

from typing import Any

from ml_collections import ConfigDict

from qpm_jax.config_keys import flatten, same_kind, unknown_key_message


def default() -> ConfigDict:
    """Returns a locked configuration with the published defaults."""
    config = ConfigDict(
        {
            "seed": 0,
            "num_features": 50,  # n, features kept of the backbone's
            "per_class": 5,  # k, features that describe a class
            "batch_size": 16,
            "evaluation_batch_size": 64,
            "image_size": 0,  # pixels a side; 0: the data set's, else the model's own
            # To that size; "centre_crop" keeps the aspect ratio, "imagenet_crop" cuts
            # an eighth more.
            "fit": "stretch",
            "dataset": {"name": "birds", "options": {}},
            "model": {
                "name": "resnet_small",
                "reduced_strides": False,
                # Mobile networks: the last ReLU6 without its 6, which keeps the mean
                # of a feature seen at one place small.
                "unbounded_maps": False,
                "weights": "",
                # That the file must have, or its first eight digits; "": any file.
                "weights_sha256": "",
                # Regular expression of what does not train: parameters, and running
                # statistics of batch normalisation, which then normalise by them.
                "frozen": "",
            },
            "input": {
                # Of colours: "model", what its weights were trained with, if it has
                # published ones; "dataset", those of the training images.
                "normalisation": "model",
                "skip_unreadable": False,  # look for them beforehand and leave them out
                # How batches are prepared; a run may go on with other values.
                "threads": 2,
                "workers": 0,  # processes instead of threads
            },
            "augmentation": {
                "flip": True,
                "crop": "none",  # "random", "random_resized": a part of each photo
                "crop_padding": 4,  # pixels of random shift; of border, where cropped
                "jitter": 0.1,  # brightness, contrast, saturation
                "rotation": 0.0,  # degrees
                "scale": 0.0,  # largest relative change of size
                "trivial_augment": True,
                "erasing": 0.0,  # probability of a covered rectangle
                "lighting": 0.0,  # standard deviation of random light
            },
            "dense": dense_phase(),
            "assign": {
                "solver": "native",
                "time_limit": 20.0,  # seconds
                "restarts": 1,  # native searches side by side, in processes; best kept
                "max_rounds": 0,  # of the native search, the same anywhere; 0: no limit
                "redundancy": True,  # Z_R, the pair penalties
                "bias": True,  # Z_B, locality
            },
            "finetune": finetune_phase(),
            # Of the backbone while it trains; or "bfloat16", for accelerators.
            "precision": "float32",
            "checkpoint_seconds": 30.0,
            "checkpoint_keep": 2,  # checkpoints of a phase that are kept, the latest
            # Stops training whose cross-entropy is so many times that of guessing,
            # ln C, over an epoch; 0: never. 2 is a sign of failure in most runs.
            "divergence": 0.0,
            "evaluate_epochs": 5,  # epochs between looks at the test split
            # Where a run is computed, not what it is: it may go on with other values.
            "parallel": {
                "devices": 0,  # that share each batch; 0: all there are
                "parameters": "replicated",  # or "sharded" over the devices
                "smallest_sharded": 65536,  # elements of an array from which that pays
            },
        }
    )
    return config.lock()


def dense_phase() -> dict[str, Any]:
    """Phase 1, dense training, as published."""
    return {
        "epochs": 150,
        "optimizer": "sgd",  # or "adamw", which takes the momentum as its first beta
        "learning_rate": 0.005,
        "head_learning_rate": 0.01,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "decay_factor": 0.4,
        "decay_epochs": 30,
        "warmup_epochs": 0.0,
        "diversity": 0.196,  # beta, weight of the feature diversity loss
        "dropout": 0.2,
        "averaging": 0.0,  # decay of a running mean of the weights, the model then
        "label_smoothing": 0.0,  # share of each target spread over all classes
    }


def finetune_phase() -> dict[str, Any]:
    """Phase 4, fine-tuning with the fixed binary head, as published."""
    return {
        "epochs": 40,
        "optimizer": "sgd",
        "learning_rate": 1e-4,
        "momentum": 0.95,
        "weight_decay": 5e-4,
        "decay_factor": 0.4,
        "decay_epochs": 10,
        "warmup_epochs": 0.0,
        "diversity": 0.196,
        "dropout": 0.1,
        "averaging": 0.0,
        "label_smoothing": 0.0,
        "distillation": 0.0,  # share of the loss that the dense model's answers take
        "temperature": 2.0,  # of these answers
    }


def from_dict(values: dict[str, Any]) -> ConfigDict:
    """Rebuilds a configuration from `config.json` or a file in `configs/`.

    Keys that are absent take their default, so that runs of older versions open.

    Raises:
      ValueError: A key is unknown or its value has another type than the default's.
    """
    known = flatten(default())
    for name, value in flatten(values).items():
        if name.startswith("dataset.options."):
            continue
        if name not in known:
            raise ValueError(unknown_key_message(name, known))
        if not same_kind(known[name], value):
            raise ValueError(
                f"config.{name} is {value!r}; it takes "
                f"{type(known[name]).__name__}, such as {known[name]!r}."
            )
    config = default()
    with config.unlocked():
        config.dataset.options = ConfigDict()
        config.update(values)
    return config
