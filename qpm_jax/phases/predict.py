"""Predictions of a trained run for image files, as records, JSON, CSV or pictures."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qpm_jax import files
from qpm_jax.datasets.image_files import SUFFIXES, is_image_name
from qpm_jax.run import Run

Record = dict[str, Any]


def image_files(paths: Sequence[Path]) -> list[Path]:
    """Returns every image among files and, sorted, below folders.

    Raises:
      ValueError: A path does not exist, or there is no image at all.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += [f for f in sorted(path.rglob("*")) if is_image_name(f.name)]
        elif path.exists():
            found.append(path)
        else:
            raise ValueError(f"images: {path} does not exist.")
    if not found:
        raise ValueError(
            f"images: no image in {', '.join(map(str, paths))}; "
            f"files that count end in {', '.join(sorted(SUFFIXES))}."
        )
    return found


def run(opened: Run, images: Sequence[Path]) -> list[Record]:
    """Returns a record an image: class, probability, and the features behind it.

    Args:
      opened: A trained run, from `qpm_jax.load`.
      images: Image files.

    Raises:
      ValueError: An image cannot be read.
    """
    prediction = opened.predict(images)
    records = []
    for i, path in enumerate(images):
        label = int(prediction.labels[i])
        used = opened.assignment[label].nonzero()[0]
        records.append(
            {
                "image": str(path),
                "class": prediction.class_names[i],
                "label": label,
                "probability": float(prediction.probabilities[i, label]),
                "features": {
                    opened.feature_names[f]: float(prediction.features[i, f])
                    for f in used
                },
            }
        )
    return records


def draw(opened: Run, images: Sequence[Path], folder: str | Path) -> list[Path]:
    """Writes a picture of each image's explanation, and returns the files.

    `wren.jpg` becomes `wren-explained.png`, a second one `wren-explained-2.png`.

    Args:
      opened: A trained run, from `qpm_jax.load`.
      images: Image files; each takes one pass through the network.
      folder: Where the pictures go; made where it is missing.

    Raises:
      ValueError: An image cannot be read.
    """
    written: dict[Path, None] = {}
    for image in images:
        path = Path(folder) / f"{image.stem}-explained.png"
        number = 1
        while path in written:
            number += 1
            path = Path(folder) / f"{image.stem}-explained-{number}.png"
        files.write_bytes(path, opened.draw(image))
        written[path] = None
    return list(written)


def as_json(records: Sequence[Record]) -> str:
    """Returns the records as indented JSON."""
    return json.dumps(list(records), indent=2) + "\n"


def as_csv(records: Sequence[Record]) -> str:
    """Returns a line an image; the features as `name=value` joined by semicolons."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["image", "class", "label", "probability", "features"])
    for record in records:
        features = ";".join(f"{k}={v:.4f}" for k, v in record["features"].items())
        writer.writerow(
            [
                record["image"],
                record["class"],
                record["label"],
                f"{record['probability']:.6f}",
                features,
            ]
        )
    return out.getvalue()
