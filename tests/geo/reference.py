"""Slow, obvious twins of the compiled kernels: same parameters, lists and loops."""

from __future__ import annotations

from collections.abc import Sequence

UNREACHED = 2**61


def nearest_source(
    indptr: Sequence[int],
    heads: Sequence[int],
    cost_ms: Sequence[int],
    length_m: Sequence[float],
    source_node: Sequence[int],
    source_ms: Sequence[int],
    source_m: Sequence[float],
    source_rank: Sequence[int],
) -> list[tuple[int, int, float]]:
    """Relax every arc until nothing changes (Bellman and Ford); labels are (time, rank, metres)."""
    nothing = (UNREACHED, -1, 0.0)
    labels = [nothing] * (len(indptr) - 1)
    for node, ms, metres, rank in zip(source_node, source_ms, source_m, source_rank, strict=True):
        labels[node] = min(labels[node], (ms, rank, metres), key=lambda label: (label[0], label[1], label[2]))
    changed = True
    while changed:
        changed = False
        for node in range(len(labels)):
            time, rank, metres = labels[node]
            if rank < 0:
                continue
            for arc in range(indptr[node], indptr[node + 1]):
                label = (time + cost_ms[arc], rank, metres + length_m[arc])
                if label < labels[heads[arc]] or labels[heads[arc]][1] < 0:
                    labels[heads[arc]] = label
                    changed = True
    return labels
