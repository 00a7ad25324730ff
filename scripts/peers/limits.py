"""What this machine can do at most, with the given threads: `limits.py THREADS [quick]` prints a line of JSON.

`copy`: bytes read and written per second by copying an array far larger than the caches. `gemv`: bytes per second that a
matrix times a vector reads. `gemm`: f32 operations per second of a product of large matrices. The best of several runs.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np


def best(work, runs):
    out = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        out.append(time.perf_counter() - start)
    return min(out)


threads, quick = int(sys.argv[1]), "quick" in sys.argv
numbers, runs, side = (1 << 24, 3, 1536) if quick else (1 << 28, 5, 4096)
a, b = np.ones(numbers, np.float32), np.zeros(numbers, np.float32)
parts = [slice(i * numbers // threads, (i + 1) * numbers // threads) for i in range(threads)]
with ThreadPoolExecutor(threads) as pool:
    copy = best(lambda: list(pool.map(lambda part: np.copyto(b[part], a[part]), parts)), runs)
matrix, vector = a.reshape(-1, 512), np.ones(512, np.float32)
gemv = best(lambda: matrix @ vector, runs)
x, y = np.ones((side, side), np.float32), np.ones((side, side), np.float32)
gemm = best(lambda: x @ y, runs)
print(json.dumps({"copy": 2 * a.nbytes / copy, "gemv": a.nbytes / gemv, "gemm": 2 * side**3 / gemm}))
