"""Arrays that the measurements need: `arrays.py TASK KEY=VALUE...`.

`cut`: the first rows of given arrays, and rows of unit length. `madeup`: features and logits for trying out. `small`: a
badge case of six rows. `grow`: clustered features and logits of any size, written block by block, for bench-growth.
"""

import json
import sys

import numpy as np

BLOCK = 1 << 16


def unit(x):
    norm = np.sqrt(np.einsum("ij,ij->i", x, x, dtype=np.float64))
    return (x / np.where(norm > 0, norm, 1)[:, None]).astype(np.float32)


def cut(given):
    """NAME=FILE and NAME=FILE: NAME.npy with the first `rows` rows, and NAME.unit.npy; checked for what would mislead."""
    rows, out = int(given.pop("rows")), given.pop("out")
    slice_rows = min(int(given.pop("slice")), rows)
    shapes = {}
    for name, file in given.items():
        x = np.load(file, mmap_mode="r")
        if x.ndim != 2 or x.dtype != np.float32 or len(x) < rows:
            sys.exit(f"{file} has shape {x.shape} of {x.dtype}: at least {rows} rows of float32 are needed")
        x = np.ascontiguousarray(x[:rows])
        if not np.isfinite(x).all():
            sys.exit(f"{file} holds NaN or infinity")
        shapes[name] = list(x.shape)
        np.save(f"{out}/{name}.npy", x)
        np.save(f"{out}/{name}.slice.npy", x[:slice_rows])
        if name.startswith("features"):
            np.save(f"{out}/{name}.unit.npy", unit(x))
            np.save(f"{out}/{name}.unit.slice.npy", unit(x[:slice_rows]))
    return {"shapes": shapes, "slice": slice_rows}


def madeup(given):
    """Positive, sparse and correlated, as penultimate features are, with logits of ten classes."""
    rng, rows, out = np.random.default_rng(0), int(given["rows"]), given["out"]
    hidden = rng.normal(size=(rows, 24)) + 1.5 * rng.normal(size=(10, 24))[rng.integers(0, 10, rows)]
    for d in (64, 512):
        x = np.maximum(hidden @ rng.normal(size=(24, d)) / 5 + 0.3 * rng.normal(size=(rows, d)), 0).astype(np.float32)
        np.save(f"{out}/madeup{d}.npy", x)
    np.save(f"{out}/madeup10.npy", (x @ rng.normal(size=(512, 10)) / 12).astype(np.float32))
    return {}


def small(given):
    rng, out = np.random.default_rng(5), given["out"]
    np.save(f"{out}/small.features.npy", rng.normal(size=(6, 3)).astype(np.float32))
    np.save(f"{out}/small.logits.npy", rng.normal(size=(6, 3)).astype(np.float32))
    return {}


def grow(given):
    """A mixture of 2,000 clusters of uneven size on positive features; a linear head gives the logits; the clusters are
    the regions, and the first 2,000 rows also serve as source."""
    n, d, classes, out = int(given["rows"]), int(given["d"]), 10, given["out"]
    rng = np.random.default_rng(7)
    centers = np.maximum(rng.normal(size=(2000, d)), 0).astype(np.float32)
    share = rng.pareto(1.5, 2000) + 0.05
    head = (rng.normal(size=(d, classes)) / np.sqrt(d) * 2).astype(np.float32)
    shapes = {"features": (n, d), "logits": (n, classes), "views": (n, classes), "variance": (n,)}
    files = {k: np.lib.format.open_memmap(f"{out}/{k}.npy", "w+", np.float32, s) for k, s in shapes.items()}
    files["regions"] = np.lib.format.open_memmap(f"{out}/regions.npy", "w+", np.int64, (n,))
    for at in range(0, n, BLOCK):
        rows = min(BLOCK, n - at)
        group = rng.choice(2000, rows, p=share / share.sum())
        files["regions"][at : at + rows] = group
        x = centers[group] + rng.normal(size=(rows, d)).astype(np.float32) * 0.5
        z = np.maximum(x, 0) @ head
        p = np.exp(z - z.max(axis=1, keepdims=True))
        files["features"][at : at + rows] = np.maximum(x, 0)
        files["logits"][at : at + rows] = z
        files["views"][at : at + rows] = p / p.sum(axis=1, keepdims=True)
        files["variance"][at : at + rows] = rng.random(rows) * 0.1
    source = min(n, 2000)
    np.save(f"{out}/source.npy", np.array(files["features"][:source]))
    np.save(f"{out}/source_labels.npy", np.array(files["logits"][:source]).argmax(axis=1).astype(np.int64))
    for file in files.values():
        file.flush()
    return {"bytes": int(sum(file.nbytes for file in files.values()))}


print(json.dumps(globals()[sys.argv[1]](dict(word.split("=", 1) for word in sys.argv[2:]))))
