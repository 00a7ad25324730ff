"""Whether two answers agree, by an independent computation in f64: `agree.py WORK KEY=VALUE...` prints a line of JSON with
`ok`, `text` and the numbers behind them."""

import json
import sys

import numpy as np

ROWS = 2048


def load(given, key):
    return np.load(given[key])


def picks_of(file):
    if file.endswith(".npy"):
        return np.load(file).tolist()
    with open(file) as text:
        return json.load(text)


def probabilities(file, rows=None):
    z = np.load(file)[:rows].astype(np.float64)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def inertia(x, labels, centers):
    total = 0.0
    for at in range(0, len(x), ROWS):
        total += float(((x[at : at + ROWS].astype(np.float64) - centers[labels[at : at + ROWS]]) ** 2).sum())
    return total


def kmeans(given):
    x, k = load(given, "x"), int(given["k"])
    value = {}
    for side in ("ours", "peer"):
        labels, centers = np.load(f"{given[side]}.labels.npy"), np.load(f"{given[side]}.centers.npy").astype(np.float64)
        value[side] = inertia(x, labels.astype(np.int64), centers)
        value[f"{side}_clusters"] = len(np.unique(labels))
    ratio = value["ours"] / value["peer"]
    return ratio <= 1.005 and value["ours_clusters"] == k, f"inertia {ratio:.4f} x peer's", value


def hdbscan(given):
    from sklearn.metrics import adjusted_rand_score

    ours, peer = np.load(f"{given['ours']}.labels.npy"), np.load(f"{given['peer']}.labels.npy")
    ari = float(adjusted_rand_score(ours, peer))
    mask = float(((ours < 0) == (peer < 0)).mean())
    text = f"ARI of labels {ari:.5f}; noise mask the same for {100 * mask:.3f} %, noise {100 * (ours < 0).mean():.1f} %"
    return ari >= 0.999, text, {"ari": ari, "same_mask": mask, "clusters": int(ours.max()) + 1}


def farthest_replay(x, picks):
    """The largest shortfall of a pick against the farthest row, relative, in f64; the first pick covers nothing yet."""
    sq = np.einsum("ij,ij->i", x, x)
    near, worst, free = np.full(len(x), np.inf), 0.0, np.ones(len(x), bool)
    for turn, pick in enumerate(picks):
        if turn:
            best = np.sqrt(near[free].max())
            worst = max(worst, float(1 - np.sqrt(near[pick]) / best)) if best > 0 else worst
        free[pick] = False
        near = np.minimum(near, np.maximum(sq + sq[pick] - 2 * (x @ x[pick]), 0))
    return worst


def coreset(given):
    x = load(given, "x").astype(np.float64)
    ours, peer = picks_of(given["ours"]), picks_of(given["peer"])
    shortfall = {"ours": farthest_replay(x, ours), "peer": farthest_replay(x, peer)}
    ok = shortfall["ours"] <= 1e-5 and len(set(ours)) == len(ours) == int(given["budget"])
    text = f"each pick a maximiser within {shortfall['ours']:.1e} (peer's {shortfall['peer']:.1e})"
    return ok, text, {**shortfall, "same_picks": len(set(ours) & set(peer))}


def badge_draws(x, p, picks):
    """For each draw after the first its place in the distribution that k-means++ prescribes: uniform in (0, 1)."""
    rng = np.random.default_rng(0)
    error = -p
    error[np.arange(len(p)), p.argmax(axis=1)] += 1
    norm = np.einsum("ij,ij->i", error, error) * np.einsum("ij,ij->i", x, x)
    places, near = [], np.full(len(x), np.inf)
    for turn, pick in enumerate(picks):
        if turn:
            order = np.argsort(near, kind="stable")
            share = np.cumsum(near[order])
            at = int(np.nonzero(order == pick)[0][0])
            below = share[at - 1] if at else 0.0
            places.append((below + rng.random() * (share[at] - below)) / share[-1])
        inner = (error @ error[pick]) * (x @ x[pick])
        near = np.minimum(near, np.maximum(norm + norm[pick] - 2 * inner, 0))
        near[pick] = 0
    return places, 1 - norm[picks[0]] / norm.max()


def badge(given):
    from scipy import stats

    x, p = load(given, "x").astype(np.float64), probabilities(given["logits"])
    ours, peer = picks_of(given["ours"]), picks_of(given["peer"])
    places, first = badge_draws(x, p.copy(), ours)
    theirs, _ = badge_draws(x, p.copy(), peer)
    of_ours, of_peer = stats.kstest(places, "uniform").pvalue, stats.kstest(theirs, "uniform").pvalue
    small = small_badge(given)
    ok = of_ours > 1e-3 and first <= 1e-5 and len(set(ours)) == len(ours) and small > 1e-3
    text = f"draws as prescribed: p = {of_ours:.2f} (peer's {of_peer:.2g}); all sequences of a small case: p = {small:.2f}"
    return ok, text, {"p_ours": of_ours, "p_peer": of_peer, "p_small": small, "first_shortfall": float(first)}


def small_badge(given):
    """Chi-square of 20,000 selections of three from six rows against the exact probability of each sequence."""
    from scipy import stats

    x, p = load(given, "small_x").astype(np.float64), probabilities(given["small_logits"])
    error = -p
    error[np.arange(len(p)), p.argmax(axis=1)] += 1
    g = (error[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    d2 = ((g[:, None] - g[None]) ** 2).sum(axis=2)
    first = int((g**2).sum(axis=1).argmax())
    runs = picks_of(given["small"])
    expected, seen = [], []
    for second in range(len(x)):
        for third in range(len(x)):
            near = np.minimum(d2[first], d2[second])
            chance = d2[first][second] / d2[first].sum() * (near[third] / near.sum() if near.sum() > 0 else 0)
            count = sum(run == [first, second, third] for run in runs)
            if chance * len(runs) >= 5:
                expected.append(chance * len(runs))
                seen.append(count)
            elif chance == 0 and count:
                return 0.0
    # what is too rare to be counted alone is one group
    rest = len(runs) - sum(expected)
    if rest > 1:
        expected.append(rest)
        seen.append(len(runs) - sum(seen))
    elif len(runs) != sum(seen):
        return 0.0
    return float(stats.chisquare(seen, np.array(expected) * sum(seen) / sum(expected)).pvalue)


def nearest_pick(x, picks):
    """Squared distance of each row to its nearest pick."""
    sq, out = np.einsum("ij,ij->i", x, x), np.empty(len(x))
    base = x[picks]
    for at in range(0, len(x), ROWS):
        inner = x[at : at + ROWS] @ base.T
        out[at : at + ROWS] = (sq[at : at + ROWS, None] + sq[picks] - 2 * inner).min(axis=1)
    return np.maximum(out, 0)


def typiclust(given):
    """Clusters differ by their random start, so means over five starts are compared: how far the pool is from the picks
    (what clustering minimises) and how near the picks are to their 20 neighbours in the pool (typicality)."""
    from skactiveml.pool import TypiClust
    from sklearn.neighbors import NearestNeighbors

    x, budget = load(given, "x"), int(given["budget"])
    ours = picks_of(given["many"])
    peer = [TypiClust(random_state=seed, k=20).query(x, np.full(len(x), np.nan), batch_size=budget) for seed in range(len(ours))]
    x = x.astype(np.float64)
    model = NearestNeighbors(n_neighbors=21, algorithm="brute").fit(x)
    value = {}
    for side, starts in (("ours", ours), ("peer", peer)):
        near = [1 / model.kneighbors(x[picks])[0][:, 1:].mean() for picks in starts]
        error = [nearest_pick(x, picks).mean() for picks in starts]
        value[side] = {"typicality": float(np.mean(near)), "error": float(np.mean(error))}
        value[side]["sd"] = [float(np.std(v, ddof=1) / np.mean(v)) for v in (near, error)]
    error, near = (value["ours"][what] / value["peer"][what] for what in ("error", "typicality"))
    ok = error <= 1.01 and near >= 0.99 and all(len(set(picks)) == budget for picks in ours)
    text = f"over 5 starts: squared distance to the nearest pick {error:.4f} x, typicality of the picks {near:.4f} x peer's"
    return ok, text, value


def probcover(given):
    x, radius = load(given, "x").astype(np.float64), float(given["radius"])
    covered = {}
    for side in ("ours", "peer"):
        if given.get(side):
            covered[side] = float((nearest_pick(x, picks_of(given[side])) <= radius**2).mean())
    if "peer" not in covered:
        return covered["ours"] > 0, f"covers {100 * covered['ours']:.2f} %", covered
    ratio = covered["ours"] / covered["peer"]
    return ratio >= 0.99, f"radius {radius}: covers {100 * covered['ours']:.2f} %, {ratio:.4f} x peer's", covered


def knn(given):
    x = load(given, "x").astype(np.float64)
    ours, peer = np.load(f"{given['ours']}.index.npy").astype(np.int64), np.load(f"{given['peer']}.index.npy")
    other, wrong = 0, 0
    for i in range(len(x)):
        if set(ours[i]) == set(peer[i]):
            continue
        other += 1
        far = [np.sort(((x[side[i]] - x[i]) ** 2).sum(axis=1)) for side in (ours, peer)]
        # the peer is right to f32; a row is wrong when one of ours is farther than its counterpart
        wrong += bool((far[0] > far[1] * (1 + 1e-6)).any() or i in ours[i] or len(set(ours[i])) < ours.shape[1])
    text = f"same neighbours in {len(x) - other} of {len(x)} rows, none farther in the others" if not wrong else f"{wrong} rows farther"
    return wrong == 0, text, {"other": other, "wrong": wrong}


def herding_replay(x, weights, picks):
    sq = np.einsum("ij,ij->i", x, x)
    likeness = np.exp(-np.maximum(sq[:, None] + sq - 2 * (x @ x.T), 0))
    near, worst, free = np.zeros(len(x)), 0.0, np.ones(len(x), bool)
    for pick in picks:
        gain = np.zeros(len(x))
        for at in range(0, len(x), ROWS):
            part = slice(at, at + ROWS)
            gain += weights[part] @ np.maximum(likeness[part] - near[part, None], 0)
        worst = max(worst, float(1 - gain[pick] / gain[free].max()))
        free[pick] = False
        near = np.maximum(near, likeness[pick])
    return worst


def herding(given, weights):
    x = load(given, "x").astype(np.float64)
    ours, peer = picks_of(given["ours"]), picks_of(given["peer"])
    same = sum(a == b for a, b in zip(ours, peer))
    worst = herding_replay(x, weights(given, len(x)), ours)
    ok = len(ours) == len(peer) == len(set(ours)) and (ours == peer or worst <= 1e-5)
    return ok, f"{same} of {len(peer)} picks the same, each a maximiser within {worst:.1e}", {"same": same, "shortfall": worst}


def maxherding(given):
    return herding(given, lambda _, n: np.ones(n))


def uherding(given):
    def margin(given, n):
        top = np.sort(probabilities(given["logits"], n), axis=1)
        return 1 - (top[:, -1] - top[:, -2])

    return herding(given, margin)


def main():
    work, given = sys.argv[1], dict(word.split("=", 1) for word in sys.argv[2:])
    ok, text, numbers = globals()[work](given)
    print(json.dumps({"ok": bool(ok), "text": text, "numbers": numbers}))


main()
