"""One work by a peer, in a process of its own: `peer.py WORK out=FILE KEY=VALUE...` prints a line of JSON.

The seconds are those of the work itself; arrays are loaded and libraries imported before. The peak is that of the whole
process. Results go to `out` as .npy.
"""

import json
import sys
import time

import numpy as np


def peak_bytes():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 0


def probabilities(file):
    z = np.load(file).astype(np.float64)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def unlabelled(x):
    return np.full(len(x), np.nan)


def kmeans(given):
    from sklearn.cluster import KMeans

    x = np.load(given["x"])
    model = KMeans(n_clusters=int(given["k"]), n_init=1, random_state=int(given["seed"]))
    yield
    model.fit(x)
    yield {"labels": model.labels_, "centers": model.cluster_centers_}, {"iterations": int(model.n_iter_)}


def hdbscan(given):
    import hdbscan
    import hdbscan.hdbscan_ as inner

    # Where edges are equally long, the order in which numpy's unstable sort leaves them decides the clusters: the package
    # then disagrees with itself from one processor to the next. A stable sort keeps the order of the tree.
    class Stable:
        def __getattr__(self, name):
            return getattr(np, name)

        @staticmethod
        def argsort(a, *args, **more):
            return np.argsort(a, *args, **{**more, "kind": "stable"})

    inner.np = Stable()
    x = np.load(given["x"])
    # this package does not count the point itself among the neighbours, ours does
    model = hdbscan.HDBSCAN(
        min_cluster_size=int(given["min_cluster_size"]),
        min_samples=int(given["min_samples"]) - 1,
        core_dist_n_jobs=int(given["threads"]),
    )
    yield
    model.fit(x)
    yield {"labels": model.labels_.astype(np.int64)}, {"noise": int((model.labels_ < 0).sum())}


def coreset_gemv(given):
    x, budget = np.load(given["x"]), int(given["budget"])
    yield
    sq = np.einsum("ij,ij->i", x, x)
    picks, near = [0], np.full(len(x), np.inf, np.float32)
    for _ in range(budget - 1):
        near = np.minimum(near, sq + sq[picks[-1]] - 2 * (x @ x[picks[-1]]))
        picks.append(int(near.argmax()))
    yield {"picks": np.array(picks)}, {}


def coreset(given):
    from skactiveml.pool import CoreSet

    x = np.load(given["x"])
    y, rule = unlabelled(x), CoreSet(random_state=int(given["seed"]))
    yield
    picks = rule.query(x, y, batch_size=int(given["budget"]))
    yield {"picks": np.asarray(picks)}, {}


def badge(given):
    from skactiveml.base import SkactivemlClassifier
    from skactiveml.pool import Badge

    x, p = np.load(given["x"]), probabilities(given["logits"])

    class Given(SkactivemlClassifier):
        """A model that has spoken already: its probabilities are in the file."""

        def fit(self, X, y, sample_weight=None):
            return self

        def predict_proba(self, X):
            assert len(X) == len(p)
            return p

    y, rule = unlabelled(x), Badge(random_state=int(given["seed"]))
    yield
    picks = rule.query(x, y, clf=Given(classes=list(range(p.shape[1]))), fit_clf=False, batch_size=int(given["budget"]))
    yield {"picks": np.asarray(picks)}, {}


def typiclust(given):
    from skactiveml.pool import TypiClust

    x = np.load(given["x"])
    y, rule = unlabelled(x), TypiClust(random_state=int(given["seed"]), k=20)
    yield
    picks = rule.query(x, y, batch_size=int(given["budget"]))
    yield {"picks": np.asarray(picks)}, {}


def probcover(given):
    from skactiveml.pool import ProbCover

    x = np.load(given["x"])
    y, rule = unlabelled(x), ProbCover(random_state=int(given["seed"]), deltas=[float(given["radius"])], n_classes=10)
    yield
    picks = rule.query(x, y, batch_size=int(given["budget"]))
    yield {"picks": np.asarray(picks)}, {}


def knn(given):
    from sklearn.neighbors import NearestNeighbors

    x = np.load(given["x"])
    model = NearestNeighbors(n_neighbors=int(given["k"]), algorithm="brute", n_jobs=int(given["threads"]))
    yield
    index = model.fit(x).kneighbors(return_distance=True)[1]
    yield {"index": index}, {}


def greedy_herding(given, weights):
    x, budget = np.load(given["x"]), int(given["budget"])
    w = weights(given, len(x)).astype(np.float32)
    yield
    sq = np.einsum("ij,ij->i", x, x)
    likeness = np.exp(-np.maximum(sq[:, None] + sq - 2 * (x @ x.T), 0))
    picks, near = [], np.zeros(len(x), np.float32)
    for _ in range(budget):
        gain = w @ np.maximum(likeness - near[:, None], 0)
        gain[picks] = -np.inf
        picks.append(int(gain.argmax()))
        near = np.maximum(near, likeness[:, picks[-1]])
    yield {"picks": np.array(picks)}, {}


def maxherding(given):
    return greedy_herding(given, lambda _, n: np.ones(n))


def uherding(given):
    def margin(given, n):
        top = np.sort(probabilities(given["logits"])[:n], axis=1)
        return 1 - (top[:, -1] - top[:, -2])

    return greedy_herding(given, margin)


def maxherding_library(given):
    from skactiveml.pool import MaxHerding

    x = np.load(given["x"])
    y, rule = unlabelled(x), MaxHerding(random_state=int(given["seed"]), metric="rbf", metric_dict={"gamma": 1.0})
    yield
    picks = rule.query(x, y, batch_size=int(given["budget"]))
    yield {"picks": np.asarray(picks)}, {}


def main():
    work, given = sys.argv[1], dict(word.split("=", 1) for word in sys.argv[2:])
    a = np.ones((256, 256), np.float32)
    a @ a  # the threads of BLAS start before the clock does
    steps = globals()[work](given)
    next(steps)
    start, cpu = time.perf_counter(), time.process_time()
    arrays, more = next(steps)
    seconds, cpu, peak = time.perf_counter() - start, time.process_time() - cpu, peak_bytes()
    for name, array in arrays.items():
        np.save(f"{given['out']}.{name}.npy", array)
    print(json.dumps({"work": work, "seconds": seconds, "processor_seconds": cpu, "peak_rss_bytes": peak, **more}))


main()
