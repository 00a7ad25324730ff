"""Makes the golden files beside this script: points, and the labels that two Python packages give them.

Needs numpy, scikit-learn >= 1.3 and hdbscan >= 0.8.33. The packages sort the edges of the spanning tree with numpy's
default sort, which leaves equal weights in an order that depends on the machine; a stable sort is forced here.
hdbscan does not count the point itself in `min_samples`, scikit-learn does.
"""

import pathlib

import hdbscan
import numpy as np
import sklearn.cluster

plain_argsort = np.argsort
np.argsort = lambda a, axis=-1, kind=None, order=None, **kw: plain_argsort(a, axis=axis, kind="stable", order=order, **kw)

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(0)
n, d = 600, 8
means = rng.normal(size=(12, d))
group = rng.integers(0, 12, n)
spread = rng.uniform(0.15, 0.7, 12)
x = (means[group] + rng.normal(size=(n, d)) * spread[group][:, None]).astype(np.float32)
x[::15] = rng.normal(size=(n // 15, d)) * 1.5
x[100:110] = x[90:100]  # duplicates
np.save(here / "hdbscan_x.npy", x)
wide = x.astype(np.float64)
for size, samples in [(5, 3), (10, 6)]:
    a = hdbscan.HDBSCAN(min_cluster_size=size, min_samples=samples - 1, algorithm="generic").fit_predict(wide)
    b = sklearn.cluster.HDBSCAN(min_cluster_size=size, min_samples=samples, algorithm="brute", copy=True).fit_predict(wide)
    assert (a == b).all() and a.max() > 2 and (a < 0).any(), (size, samples)
    print(size, samples, a.max() + 1, "clusters", (a < 0).sum(), "noise")
    np.save(here / f"hdbscan_{size}_{samples}.npy", a.astype(np.int64))
