"""The published search for ε, step by step (docs/formulas.md, Redundancy threshold).

Thresholds are walked from loose to tight while a greedy heuristic finds a large clique
of the graph "similarity below the threshold", then back until the clique removal of
Boppana and Halldórsson (BIT 1992) gives one with enough vertices. Graphs are
dictionaries in the order in which the published search visits them: it decides ties.
"""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float, Int

_STEPS = 100

# Vertex -> its neighbours; dictionaries keep an order.
Neighbours = dict[int, dict[int, None]]


def published_threshold(
    redundancy: Float[np.ndarray, "F F"], num_features: int
) -> tuple[float, Int[np.ndarray, " n"]] | None:
    """ε and the first n members of its clique.

    Args:
        redundancy: symmetric float64 [F, F], zero diagonal, no negative entries.
        num_features: n, the size of the clique looked for.

    Returns:
        The threshold and n vertices, sorted; None where the search fails, as the
        published one does when its loosest graph has no large clique, and for n < 3,
        where it is not defined.
    """
    if num_features < 3:
        return None
    chosen = _tightest_step(redundancy, num_features)
    if chosen is None:
        return None
    for step in range(chosen, -1, -1):
        threshold = _threshold(redundancy, num_features, step)
        clique = _clique_by_removal(_graph(redundancy, threshold), num_features)
        if len(clique) >= num_features:
            return threshold, np.sort(clique[:num_features])
    return None


def _threshold(
    redundancy: Float[np.ndarray, "F F"], num_features: int, step: int
) -> float:
    """The threshold of a step: an entry of the sorted matrix, by a Turán-like count."""
    kept = redundancy.size * (num_features - 2) / (num_features - 1)
    width = (kept - np.count_nonzero(redundancy == 0)) / _STEPS
    ordered = np.sort(redundancy, axis=None)
    return float(ordered[int(kept) - int(step * width)])


def _tightest_step(
    redundancy: Float[np.ndarray, "F F"], num_features: int
) -> int | None:
    """The last step at which the greedy heuristic still finds enough vertices."""
    for step in range(_STEPS):
        graph = _graph(redundancy, _threshold(redundancy, num_features, step))
        size = _greedy_clique_size(graph, num_features)
        if size == num_features:
            return step
        if size < num_features:
            return step - 1 if step else None
    return _STEPS - 1


def _graph(
    redundancy: Float[np.ndarray, "F F"], threshold: float
) -> Bool[np.ndarray, "F F"]:
    graph = redundancy < threshold
    np.fill_diagonal(graph, False)
    return graph


def _greedy_clique_size(graph: Bool[np.ndarray, "F F"], enough: int) -> int:
    """Size of the first greedy clique with `enough` vertices, or of the largest.

    From every vertex, the neighbour of largest degree joins while there is one.
    """
    degrees = graph.sum(axis=1).tolist()
    neighbours = [np.flatnonzero(row).tolist() for row in graph]
    best = 0
    for start in range(len(graph)):
        if degrees[start] < best:
            continue
        candidates = {v for v in neighbours[start] if degrees[v] >= best}
        size = 1
        while candidates:
            joining = max(candidates, key=degrees.__getitem__)
            candidates.remove(joining)
            candidates &= {v for v in neighbours[joining] if degrees[v] >= best}
            size += 1
        best = max(best, size)
        if best >= enough:
            break
    return best


def _clique_by_removal(graph: Bool[np.ndarray, "F F"], enough: int) -> list[int]:
    """A clique: an independent set of the complement by clique removal."""
    complement = ~graph
    np.fill_diagonal(complement, False)
    left: Neighbours = {
        vertex: dict.fromkeys(np.flatnonzero(row).tolist())
        for vertex, row in enumerate(complement)
    }
    best: set[int] = set()
    while left and len(best) < enough:
        clique, independent = _ramsey(left)
        best = max(best, independent, key=len)
        left = {
            vertex: dict.fromkeys(n for n in neighbours if n not in clique)
            for vertex, neighbours in left.items()
            if vertex not in clique
        }
    return sorted(best)


def _ramsey(graph: Neighbours) -> tuple[set[int], set[int]]:
    """A clique and an independent set, by splitting the graph at its first vertex.

    Its neighbours give a clique that it may join, the others an independent set that it
    may join; the larger of both kinds is kept. A stack replaces the recursion, whose
    depth may be the number of vertices.
    """
    stack: list[tuple[Neighbours, bool]] = [(graph, False)]
    results: list[tuple[set[int], set[int]]] = []
    while stack:
        part, split = stack.pop()
        if not part:
            results.append((set(), set()))
            continue
        vertex = next(iter(part))
        if not split:
            far = part.keys() - part[vertex].keys() - {vertex}
            stack.append((part, True))
            stack.append((_induced(part, far), False))
            stack.append((_induced(part, part[vertex]), False))
            continue
        far_clique, far_independent = results.pop()
        near_clique, near_independent = results.pop()
        near_clique.add(vertex)
        far_independent.add(vertex)
        results.append(
            (
                max(near_clique, far_clique, key=len),
                max(near_independent, far_independent, key=len),
            )
        )
    return results[0]


def _induced(graph: Neighbours, vertices: Iterable[int]) -> Neighbours:
    """The graph on some of the vertices, in the order the published search has them.

    Which vertex comes first decides what the search finds, and in the library it uses
    that is the order of the set of vertices where less than half of them are kept.
    """
    # One by one: a set made from a set keeps its layout, and with it another order.
    keep = set(iter(vertices))
    few = 2 * len(keep) < len(graph)
    order = list(keep) if few else [vertex for vertex in graph if vertex in keep]
    induced: Neighbours = {vertex: {} for vertex in order}
    for vertex in order:
        for neighbour in graph[vertex]:
            if neighbour in keep:
                induced[vertex][neighbour] = None
                induced[neighbour][vertex] = None
    return induced
