"""How large the report is and what building it costs, by number of classes.

python -m benchmarks.report_size --classes=50,200,1000

One picture of 224 px a class and four a feature, of noise with the spectrum of photos,
which is harder to store than photos are; maps of 28 × 28, 50 features of which five
describe a class, 312 attributes.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from qpm_jax.explain import Examples, ReportContents, build_report

FEATURES, PER_CLASS, TOP, SIDE, MAP, ATTRIBUTES = 50, 5, 4, 224, 28, 312


def natural_images(rng: np.random.Generator, count: int, side: int) -> np.ndarray:
    """Returns noise whose amplitude falls with the frequency, as in photos."""
    frequencies = np.fft.fftfreq(side)
    distance = np.hypot(frequencies[:, None], frequencies[None])
    fall = 1 / np.maximum(distance, 1 / side)
    images = np.empty((count, side, side, 3), np.uint8)
    for image in images:
        grey = np.fft.ifft2(np.fft.fft2(rng.normal(size=(side, side))) * fall).real
        tint = np.fft.ifft2(np.fft.fft2(rng.normal(size=(side, side))) * fall**1.5).real
        channels = np.stack(
            [grey + share * tint / tint.std() for share in (0.2, 0, -0.2)]
        )
        scaled = 127 + 50 * (channels - channels.mean()) / channels.std()
        image[...] = np.moveaxis(scaled.clip(0, 255), 0, -1)
    return images


def assignment_rows(rng: np.random.Generator, classes: int) -> np.ndarray:
    """Returns different rows, many of them one feature apart."""
    rows: dict[tuple[int, ...], None] = {}
    row = rng.choice(FEATURES, PER_CLASS, replace=False)
    while len(rows) < classes:
        if rng.random() < 0.5:
            row = rng.choice(FEATURES, PER_CLASS, replace=False)
        else:
            rest = np.setdiff1d(np.arange(FEATURES), row)
            row = np.append(row[1:], rng.choice(rest))
        rows[tuple(sorted(row.tolist()))] = None
    weights = np.zeros((classes, FEATURES), bool)
    np.put_along_axis(weights, np.array(list(rows)), True, axis=1)
    return weights


def contents_of(classes: int) -> ReportContents:
    """Returns a report as CUB's would be, with made-up photos."""
    rng = np.random.default_rng(0)
    photos = classes + FEATURES * TOP
    attributes = rng.random((classes, ATTRIBUTES))
    return ReportContents(
        title=f"{classes} classes",
        class_names=tuple(f"Slender billed Warbler {i}" for i in range(classes)),
        assignment=assignment_rows(rng, classes),
        selected=np.sort(rng.choice(2048, FEATURES, replace=False)),
        examples=Examples(
            images=natural_images(rng, photos, SIDE),
            labels=np.arange(photos) % classes,
            of_class=np.arange(classes),
            class_maps=rng.random((classes, MAP, MAP, FEATURES), np.float32),
            of_feature=np.arange(classes, photos).reshape(FEATURES, TOP),
            feature_maps=rng.random((FEATURES, TOP, MAP, MAP), np.float32),
        ),
        class_similarity=np.corrcoef(attributes),
        class_attributes=attributes,
        attribute_names=tuple(f"has_bill_shape::{i}" for i in range(ATTRIBUTES)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--classes", default="50,200")
    parser.add_argument("--folder", type=Path, help="where to keep the reports")
    options = parser.parse_args()
    print(f"{'classes':>8}{'MiB':>8}{'CPU s':>8}")
    for classes in map(int, options.classes.split(",")):
        contents = contents_of(classes)
        started = time.process_time()
        text = build_report(contents)
        seconds = time.process_time() - started
        size = len(text.encode()) / 2**20
        print(f"{classes:>8}{size:>8.1f}{seconds:>8.1f}", flush=True)
        if options.folder:
            (options.folder / f"report_{classes}.html").write_text(text)


if __name__ == "__main__":
    main()
