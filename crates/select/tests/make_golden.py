"""Writes golden.json: picks of the selection strategies, computed with numpy alone from the papers' formulas.

    python3 crates/select/tests/make_golden.py

Everything is plain loops over float64 on purpose: nothing is shared with the Rust code, and BADGE forms its gradients.
"""

import itertools
import json
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).with_name("golden.json")


def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def stable_first(keys, budget):
    """The rows of the smallest keys, the first of equal ones first."""
    return np.argsort(keys, kind="stable")[:budget].tolist()


def gini(p, budget):
    return stable_first((p**2).sum(axis=1), budget)


def entropy(p, budget):
    return stable_first((p * np.log2(p)).sum(axis=1), budget)


def margin(p, budget):
    s = np.sort(p, axis=1)
    return stable_first(s[:, -1] - s[:, -2], budget)


def mcp(p, budget):
    order = np.argsort(-p, axis=1, kind="stable")
    cells = {}
    for i, (a, b) in enumerate(order[:, :2]):
        cells.setdefault((int(a), int(b)), []).append((p[i, b] / p[i, a], i))
    picked = []
    while budget - len(picked) >= sum(1 for c in cells.values() if c) > 0:
        for key in sorted(cells):
            if cells[key]:
                best = max(cells[key], key=lambda ri: (ri[0], -ri[1]))
                cells[key].remove(best)
                picked.append(best[1])
    tops = [max(c, key=lambda ri: (ri[0], -ri[1])) for _, c in sorted(cells.items()) if c]
    tops.sort(key=lambda ri: (-ri[0], ri[1]))
    return picked + [i for _, i in tops[: budget - len(picked)]]


def coreset(h, budget):
    picked = [0]
    while len(picked) < budget:
        nearest = np.min([((h - h[j]) ** 2).sum(axis=1) for j in picked], axis=0)
        nearest[picked] = -1
        picked.append(int(np.argmax(nearest)))
    return picked


def consistency(views, budget):
    """views: K x n x C probabilities. Unbiased variance over the views, summed over the classes."""
    k = len(views)
    deviation = views - views.sum(axis=0) / k
    variance = ((deviation**2).sum(axis=0) / (k - 1)).sum(axis=1)
    return stable_first(-variance, budget)


def gradients(p, h):
    a = np.eye(p.shape[1])[p.argmax(axis=1)] - p
    return (a[:, :, None] * h[:, None, :]).reshape(len(p), -1)


def badge_distribution(g, budget):
    """Probability of every ordered triple: k-means++ from the largest gradient."""
    first = int(np.argmax((g**2).sum(axis=1)))
    out = {}

    def walk(picked, probability):
        if len(picked) == budget:
            out[tuple(picked)] = probability
            return
        d2 = np.min([((g - g[j]) ** 2).sum(axis=1) for j in picked], axis=0)
        d2[picked] = 0
        for j in np.nonzero(d2)[0]:
            walk(picked + [int(j)], probability * d2[j] / d2.sum())

    walk([first], 1.0)
    return out


def main():
    rng = np.random.default_rng(20220718)
    n, classes, dim = 120, 6, 10
    logits = np.float32(rng.normal(0, 2, (n, classes)))
    # blobs of very different size, some rows twice
    h = np.float32(rng.normal(0, 1, (n, dim)) + 4 * rng.normal(0, 1, (5, dim))[rng.integers(0, 5, n)])
    h[100:] = h[:20]
    logits[110:] = logits[:10]
    p = softmax(logits.astype(np.float64))

    small = slice(20, 26)
    ps, hs = p[small], h[small].astype(np.float64)
    g = gradients(ps, hs)
    triples = badge_distribution(g, 3)
    assert abs(sum(triples.values()) - 1) < 1e-12
    assert len(triples) == len(list(itertools.permutations(range(5), 2)))

    # nine views of 60 samples, some twice
    views = np.round(rng.normal(0, 1.5, (1, 60, 4)) + rng.normal(0, rng.gamma(2, 0.4, (1, 60, 1)), (9, 60, 4)), 3)
    views[:, 50:] = views[:, :10]
    views_p = np.stack([softmax(v) for v in views])

    budgets = [1, 7, 30, 50, 120]
    golden = {
        "logits": [[float(x) for x in row] for row in logits],
        "features": [[float(x) for x in row] for row in h],
        "gini": {b: gini(p, b) for b in budgets},
        "entropy": {b: entropy(p, b) for b in budgets},
        "margin": {b: margin(p, b) for b in budgets},
        "mcp": {b: mcp(p, b) for b in budgets},
        "coreset": {b: coreset(h.astype(np.float64), b) for b in budgets},
        "views": views.tolist(),
        "consistency": {b: consistency(views_p, b) for b in [1, 7, 30, 53, 60]},
        "badge": {
            "rows": list(range(small.start, small.stop)),
            "norms": np.sqrt((g**2).sum(axis=1)).tolist(),
            "triples": [{"picks": list(k), "probability": v} for k, v in triples.items()],
        },
    }
    OUT.write_text(json.dumps(golden) + "\n")
    print(f"{OUT.name}: {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
