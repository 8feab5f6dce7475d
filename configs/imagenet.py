"""ImageNet-1k: the pretrained dense model as it is, then fine-tuning.

    python -m launch.sweep --config=configs/imagenet.py --workdir=runs/imagenet \
        --seeds=0,1,2,3,4 --config.dataset.options.root=ILSVRC2012

docs/results.md has the published figures, docs/datasets.md what lies in the folder.
Normal strides, maps of 7×7, as in the checkpoints the authors publish. The paper's code
hands the network pixels in [0, 1]; its weights expect normalised ones, and that is what
they get here.
"""

from ml_collections import ConfigDict

from configs import published


def get_config() -> ConfigDict:
    """Returns the settings of the row."""
    config = published.get_config("imagenet")
    config.model.reduced_strides = False
    config.input.normalisation = "model"
    config.fit = "imagenet_crop"
    config.augmentation.crop = "random_resized"
    config.augmentation.trivial_augment = False
    config.augmentation.lighting = 0.05
    config.batch_size = 64
    # Its own ImageNet head stays with the backbone: there are as many classes.
    config.dense.epochs = 0
    config.finetune.learning_rate = 0.005 * 0.4**4
    # A pass over 1.3 million photos is an hour's work on many cores.
    config.input.workers = 8
    config.evaluate_epochs = 1
    return config
