"""Accuracy and the interpretability metrics (docs/formulas.md, Metrics).

All are fractions. Those of features (class-independence, contrastiveness, correlation,
dependence, alignment, monosemanticity) are for training features; accuracy, SID@k,
plausibility, faithfulness and confusions for test images; structural grounding is for
class weights. What is read over batches has `NAME_init`, `NAME_update`, which is pure
and meant to be jitted, and `NAME_finish`; class-independence and monosemanticity share
`class_activation_init` and `class_activation_update`.
"""

from qpm_jax.metrics.accuracy import (
    AccuracyState,
    accuracy,
    accuracy_finish,
    accuracy_init,
    accuracy_update,
)
from qpm_jax.metrics.alignment import (
    AlignmentState,
    alignment,
    alignment_finish,
    alignment_init,
    alignment_update,
    attribute_lifts,
    mean_alignment,
)
from qpm_jax.metrics.class_activation import (
    ClassActivation,
    class_activation_init,
    class_activation_update,
    class_means,
)
from qpm_jax.metrics.class_independence import (
    class_independence,
    class_independence_finish,
)
from qpm_jax.metrics.class_map import class_map
from qpm_jax.metrics.confusions import (
    Confusion,
    ConfusionState,
    confusions,
    confusions_finish,
    confusions_init,
    confusions_update,
    mistake,
)
from qpm_jax.metrics.contrastiveness import contrastiveness, feature_overlaps
from qpm_jax.metrics.correlation import (
    CorrelationState,
    correlation,
    correlation_finish,
    correlation_init,
    correlation_update,
)
from qpm_jax.metrics.dependence import (
    DependenceState,
    dependence,
    dependence_finish,
    dependence_init,
    dependence_update,
)
from qpm_jax.metrics.faithfulness import (
    Faithfulness,
    FaithfulnessState,
    area_under,
    faithfulness,
    faithfulness_finish,
    faithfulness_init,
    faithfulness_update,
    show,
    shown_positions,
)
from qpm_jax.metrics.monosemanticity import (
    local_monosemanticity,
    monosemanticity,
    top_features,
)
from qpm_jax.metrics.plausibility import (
    PlausibilityState,
    coverage_on_map,
    dilate,
    part_plausibility,
    plausibility,
    plausibility_finish,
    plausibility_init,
    plausibility_update,
)
from qpm_jax.metrics.sid import SidState, sid_at_k, sid_finish, sid_init, sid_update
from qpm_jax.metrics.structural_grounding import (
    class_attribute_similarity,
    structural_grounding,
)

__all__ = [
    "AccuracyState",
    "AlignmentState",
    "ClassActivation",
    "Confusion",
    "ConfusionState",
    "CorrelationState",
    "DependenceState",
    "Faithfulness",
    "FaithfulnessState",
    "PlausibilityState",
    "SidState",
    "accuracy",
    "accuracy_finish",
    "accuracy_init",
    "accuracy_update",
    "alignment",
    "alignment_finish",
    "alignment_init",
    "alignment_update",
    "area_under",
    "attribute_lifts",
    "class_activation_init",
    "class_activation_update",
    "class_attribute_similarity",
    "class_independence",
    "class_independence_finish",
    "class_map",
    "class_means",
    "confusions",
    "confusions_finish",
    "confusions_init",
    "confusions_update",
    "contrastiveness",
    "correlation",
    "correlation_finish",
    "correlation_init",
    "correlation_update",
    "coverage_on_map",
    "dependence",
    "dependence_finish",
    "dependence_init",
    "dependence_update",
    "dilate",
    "faithfulness",
    "faithfulness_finish",
    "faithfulness_init",
    "faithfulness_update",
    "feature_overlaps",
    "local_monosemanticity",
    "mean_alignment",
    "mistake",
    "monosemanticity",
    "part_plausibility",
    "plausibility",
    "plausibility_finish",
    "plausibility_init",
    "plausibility_update",
    "show",
    "shown_positions",
    "sid_at_k",
    "sid_finish",
    "sid_init",
    "sid_update",
    "structural_grounding",
    "top_features",
]
