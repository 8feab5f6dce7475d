"""Measures a QPM or CHiQPM in a file, such as the authors', without training anything.

    python -m launch.published --config=configs/imagenet.py --workdir=runs/published \
        --config.dataset.options.root=ILSVRC2012 --file=QPM.pth --normalised=False

`--file` is .safetensors, .npz or, with PyTorch, .pth (docs/backbones.md, The authors'
files). `--head=chiqpm` for CHiQPM; `--normalised=False` for networks that take x/255.
"""

from absl import flags
from ml_collections import ConfigDict

from launch import app, cluster
from qpm_jax.models.weight_files import read_arrays
from qpm_jax.phases import metric_table, published_network
from qpm_jax.phases.published_figures import published

FILE = flags.DEFINE_string("file", None, "The network's state dict.", required=True)
HEAD = flags.DEFINE_enum(
    "head", "qpm", list(published_network.HEADS), "Which of the two systems it is."
)
NORMALISED = flags.DEFINE_bool(
    "normalised", True, "Whether it takes normalised colours, or x/255 as they are."
)


def main(config: ConfigDict, workdir: str) -> None:
    """Measures the network and prints the table."""
    state = read_arrays(FILE.value)
    result = published_network.run(
        config, workdir, state, HEAD.value, normalised=NORMALISED.value
    )
    cluster.tell(metric_table.table(result, published(config).setting))


if __name__ == "__main__":
    app.run_phase(main)
