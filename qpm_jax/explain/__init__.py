"""What a trained QPM says: saliency, class contrast, explanations, the HTML report.

Pure functions of arrays; but for the names people give to features, which are kept with
a run, nothing here knows how a model is trained or stored.
"""

from qpm_jax.explain.attributes import (
    AttributeFit,
    aligned_attributes,
)
from qpm_jax.explain.colours import hex_code, palette
from qpm_jax.explain.contents import Examples, MetricRow, ReportContents
from qpm_jax.explain.contrast import (
    ClassContrast,
    class_contrast,
    most_alike_pairs,
    pairs_one_apart,
    shared_counts,
    spread_pairs,
)
from qpm_jax.explain.curves import training_curves
from qpm_jax.explain.examples import (
    best_per_class,
    example_scores,
    map_peaks,
    top_images,
)
from qpm_jax.explain.figures import assignment_picture, data_uri
from qpm_jax.explain.local import ClassScore, Contribution, Explanation, explain
from qpm_jax.explain.names import (
    feature_labels,
    feature_names,
    write_feature_names,
)
from qpm_jax.explain.report import build_report
from qpm_jax.explain.saliency import overlay, relative_strength, resize, saliency_maps
from qpm_jax.explain.sheet import class_feature_sheet

__all__ = [
    "AttributeFit",
    "ClassContrast",
    "ClassScore",
    "Contribution",
    "Examples",
    "Explanation",
    "MetricRow",
    "ReportContents",
    "aligned_attributes",
    "assignment_picture",
    "best_per_class",
    "build_report",
    "class_contrast",
    "class_feature_sheet",
    "data_uri",
    "example_scores",
    "explain",
    "feature_labels",
    "feature_names",
    "hex_code",
    "map_peaks",
    "most_alike_pairs",
    "overlay",
    "pairs_one_apart",
    "palette",
    "relative_strength",
    "resize",
    "saliency_maps",
    "shared_counts",
    "spread_pairs",
    "top_images",
    "training_curves",
    "write_feature_names",
]
