"""Predicts new images with a trained run: files or folders in, JSON or CSV out.

python -m launch.predict --workdir=runs/birds --images=photo.jpg --images=folder

With --pictures=FOLDER every explanation is drawn as well: the scores as sums of named
features, and where each of them looks.
"""

import sys
from pathlib import Path

from absl import flags

import qpm_jax
from launch import app
from qpm_jax import files
from qpm_jax.phases import predict

IMAGES = flags.DEFINE_multi_string("images", None, "Image file or folder; repeatable.")
FORMAT = flags.DEFINE_enum("format", "json", ["json", "csv"], "Form of the output.")
PICTURES = flags.DEFINE_string(
    "pictures", "", "Folder for a picture of each explanation; empty: none are drawn."
)
OUTPUT = flags.DEFINE_string("output", "", "File to write; empty: standard output.")


def main() -> None:
    """Predicts and writes."""
    found = predict.image_files([Path(path) for path in IMAGES.value or []])
    opened = qpm_jax.load(app.workdir())
    records = predict.run(opened, found)
    if PICTURES.value:
        predict.draw(opened, found, PICTURES.value)
    text = (
        predict.as_json(records) if FORMAT.value == "json" else predict.as_csv(records)
    )
    if OUTPUT.value:
        files.write_text(OUTPUT.value, text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    flags.mark_flags_as_required(["workdir", "images"])
    app.run(main)
