"""Instances of the quadratic program: small random ones, clustered ones, real ones."""

import itertools

import numpy as np

from qpm_jax import assignment, statistics
from qpm_jax.assignment import AssignmentProblem
from qpm_jax.datasets.shared_folder import shared_folder

SHARED = shared_folder()
REAL = {
    "CUB-50": "cub50_efficientnet_lite0",
    "tiny-imagenet-200": "tinyimagenet200_efficientnet_lite0",
}


def golden() -> list[tuple[str, AssignmentProblem, float]]:
    """The published instances with their optima; none where the folder is absent."""
    path = SHARED / "golden/qp_tiny.npz"
    if not path.exists():
        return []
    with np.load(path) as arrays:
        cases = [str(case) for case in arrays["cases"]]
        return [(name, *_golden(arrays, name)) for name in cases]


def _golden(arrays: np.lib.npyio.NpzFile, name: str) -> tuple[AssignmentProblem, float]:
    def value(key: str) -> np.ndarray:
        return arrays[f"{name}__{key}"]

    bias = value("b") if f"{name}__b" in arrays.files else None
    problem = AssignmentProblem(
        value("A"),
        value("pairs"),
        value("pair_weights"),
        bias,
        int(value("n_features")),
        int(value("per_class")),
    )
    return problem, float(value("opt_objective"))


def random_problem(
    seed: int,
    features: int,
    classes: int,
    num_features: int,
    per_class: int,
    own: float = 0.3,
    penalty: float = 20.0,
) -> AssignmentProblem:
    """Classes of a few kinds, a tenth of the pairs penalised.

    Args:
        seed: of the draw.
        features: F.
        classes: C.
        num_features: n.
        per_class: k.
        own: what a class has of its own, as a share of what its kind has. At 0.3 many
            classes want the same features, so that uniqueness decides.
        penalty: largest weight of a pair; 1 is the published scale.
    """
    random = np.random.default_rng(seed)
    kinds = max(2, classes // 3)
    likes = random.normal(size=(features, kinds))
    similarity = likes[:, random.integers(0, kinds, classes)]
    similarity = similarity + own * random.normal(size=(features, classes))
    pairs = np.array(list(itertools.combinations(range(features), 2)))
    pairs = pairs[random.uniform(size=len(pairs)) < 0.1]
    return AssignmentProblem(
        similarity=similarity / np.abs(similarity).max(),
        pairs=pairs,
        weights=penalty * random.uniform(size=len(pairs)),
        bias=random.normal(size=features),
        num_features=num_features,
        per_class=per_class,
    )


def clustered_problem(
    features: int, classes: int, num_features: int = 50, seed: int = 0
) -> AssignmentProblem:
    """Clustered classes at the paper's sizes; the 1 % most similar pairs penalised."""
    random = np.random.default_rng(seed)
    rank = 20
    centres = random.normal(size=(max(2, classes // 10), rank)).astype(np.float32)
    members = centres[random.integers(0, len(centres), classes)]
    members = members + 0.5 * random.normal(size=(classes, rank)).astype(np.float32)
    loadings = random.normal(size=(features, rank)).astype(np.float32)
    similarity = np.maximum(loadings @ members.T, 0.0)
    similarity += 0.5 * random.random(similarity.shape, dtype=np.float32)
    similarity /= similarity.max()
    rows = similarity / np.linalg.norm(similarity, axis=1, keepdims=True)
    cosine = np.triu(rows @ rows.T, 1)
    threshold = np.quantile(cosine[np.triu_indices(features, 1)], 0.99)
    pairs = np.argwhere(cosine >= threshold)
    weights = cosine[pairs[:, 0], pairs[:, 1]].astype(np.float64)
    weights = (weights - cosine[cosine > 0].min()) / np.ptp(cosine[cosine > 0])
    return AssignmentProblem(
        similarity=similarity,
        pairs=pairs,
        weights=np.clip(weights, 0.0, 1.0),
        bias=None,
        num_features=num_features,
        per_class=5,
    )


def real_problem(name: str) -> AssignmentProblem | None:
    """1280 features of real photos, 50 of them, 5 a class; None where absent."""
    path = SHARED / f"data/features/{REAL[name]}.npz"
    if not path.exists():
        return None
    with np.load(path) as arrays:
        train = arrays["is_train"].astype(bool)
        features = arrays["features"][train].astype(np.float32)
        classes, labels = np.unique(arrays["label"][train], return_inverse=True)
    similarity = statistics.class_similarity(features, labels, len(classes))
    redundancy = statistics.feature_redundancy(similarity)
    redundant = assignment.redundant_pairs(redundancy, 50)
    return AssignmentProblem(
        similarity, redundant.pairs, redundant.weights, None, 50, 5
    )
