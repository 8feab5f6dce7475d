"""n features whose most similar pair is as dissimilar as can be found.

A max-min diversity problem. A threshold is bisected over the entries of R; for each,
many greedy cliques of the graph "similarity at most the threshold" are grown at once,
always by the vertex that keeps most candidates alive. Neighbours are counted in bits:
64 at a time, and without the threads of a matrix product.
"""

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

# Words of 64 neighbours that one threshold may count: 2048 features within 2 seconds.
_WORK = 1e7


def smallest_spread(
    redundancy: Float[np.ndarray, "F F"], num_features: int
) -> Int[np.ndarray, " n"]:
    """Features with a small largest pairwise redundancy.

    Args:
        redundancy: symmetric float64 [F, F] with zero diagonal, no negative entries.
        num_features: n, from 1 to F.

    Returns:
        n feature numbers, int64, sorted. Deterministic; a heuristic, so another set may
        have a smaller largest redundancy.
    """
    features = len(redundancy)
    best = np.arange(num_features)
    if num_features in (1, features):
        return best
    upper = redundancy[np.triu_indices(features, 1)]
    levels = np.unique(upper)
    starts = _starts(redundancy, num_features)
    low, high = 0, _level_of(redundancy, best, levels)
    while low < high:
        middle = (low + high) // 2
        clique = _grow(redundancy <= levels[middle], starts, num_features)
        if clique is None:
            low = middle + 1
        else:
            best, high = clique, _level_of(redundancy, clique, levels)
    return np.sort(best)


def _starts(
    redundancy: Float[np.ndarray, "F F"], num_features: int
) -> Int[np.ndarray, " B"]:
    """Vertices to grow from: the least redundant first, as many as time allows."""
    features = len(redundancy)
    affordable = int(_WORK / (features * (features / 64 + 1) * num_features))
    number = min(features, max(8, affordable))
    return np.argsort(redundancy.sum(axis=0), kind="stable")[:number]


def _level_of(
    redundancy: Float[np.ndarray, "F F"],
    members: Int[np.ndarray, " n"],
    levels: Float[np.ndarray, " L"],
) -> int:
    """Index of the largest redundancy among the members."""
    return int(np.searchsorted(levels, redundancy[np.ix_(members, members)].max()))


def _grow(
    graph: Bool[np.ndarray, "F F"], starts: Int[np.ndarray, " B"], size: int
) -> Int[np.ndarray, " n"] | None:
    """A clique of `size` vertices of a bool graph [F, F], or None if none was found."""
    graph = graph.copy()
    np.fill_diagonal(graph, False)
    if np.count_nonzero(graph.sum(axis=1) >= size - 1) < size:
        return None
    bits = _packed(graph)
    candidates = graph[starts]
    members = starts[:, None]
    while len(members):
        if members.shape[1] == size:
            return members[0]
        # A growth whose candidates cannot fill the clique any more is given up.
        alive = candidates.sum(axis=1) >= size - members.shape[1]
        candidates, members = candidates[alive], members[alive]
        if not len(members):
            break
        shared = bits & _packed(candidates)[:, None, :]
        neighbours = np.bitwise_count(shared).sum(axis=2, dtype=np.int32)
        chosen = np.where(candidates, neighbours, -1).argmax(axis=1)
        members = np.concatenate([members, chosen[:, None]], axis=1)
        candidates = candidates & graph[chosen]
    return None


def _packed(rows: Bool[np.ndarray, "B F"]) -> UInt64[np.ndarray, "B words"]:
    """Rows of bits, 64 a word."""
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 64)))
    return np.packbits(padded, axis=1).view(np.uint64)
