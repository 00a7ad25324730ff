"""Writes tests/augmix_golden.txt: what Pillow makes of generated pictures, for tests/augmix_golden.rs.

    python3 make_augmix_golden.py > augmix_golden.txt      (needs Pillow and numpy; written with Pillow 13.0.0)

A picture is a (seed, height, width, kind): both sides make it with splitmix64, so none is stored. A line is

    seed height width kind operation parameter hash [bytes]

where hash is FNV-1a (64 bit) of Pillow's bytes and bytes, for some lines, are those bytes in hex.
"""

import random

import numpy as np
import PIL
from PIL import Image, ImageEnhance, ImageOps

MASK = (1 << 64) - 1


def noise(seed, count):
    state, out = seed, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        out.append((z ^ (z >> 31)) >> 56)
    return out


def picture(seed, h, w, kind):
    pixels = noise(seed, h * w * 3)
    for i, v in enumerate(pixels):
        y, x, c = i // (w * 3), i // 3 % w, i % 3
        if kind == "noise":
            continue
        elif kind == "pale":  # a narrow range of values
            pixels[i] = 60 + 20 * c + v // 8
        elif kind == "steps":  # four values
            pixels[i] = v & 0xC0
        elif kind == "flat":  # one value per channel
            pixels[i] = (seed + 80 * c) & 255
        elif kind == "ramp":  # smooth, as photographs are
            pixels[i] = (5 * x + 3 * y + 40 * c + v // 64) & 255
        elif kind == "rare":  # nearly everything black: the histogram's steps overflow
            pixels[i] = v if v > 200 else 0
    return Image.fromarray(np.array(pixels, dtype=np.uint8).reshape(h, w, 3))


def apply(im, op, p):
    size, bilinear = im.size, Image.Resampling.BILINEAR
    affine = Image.Transform.AFFINE
    return {
        "autocontrast": lambda: ImageOps.autocontrast(im),
        "equalize": lambda: ImageOps.equalize(im),
        "posterize": lambda: ImageOps.posterize(im, int(p)),
        "solarize": lambda: ImageOps.solarize(im, int(p)),
        "rotate": lambda: im.rotate(int(p), resample=bilinear),
        "shear_x": lambda: im.transform(size, affine, (1, p, 0, 0, 1, 0), resample=bilinear),
        "shear_y": lambda: im.transform(size, affine, (1, 0, 0, p, 1, 0), resample=bilinear),
        "translate_x": lambda: im.transform(size, affine, (1, 0, p, 0, 1, 0), resample=bilinear),
        "translate_y": lambda: im.transform(size, affine, (1, 0, 0, 0, 1, p), resample=bilinear),
        "brightness": lambda: ImageEnhance.Brightness(im).enhance(p),
        "contrast": lambda: ImageEnhance.Contrast(im).enhance(p),
        "color": lambda: ImageEnhance.Color(im).enhance(p),
        "sharpness": lambda: ImageEnhance.Sharpness(im).enhance(p),
    }[op]()


def fnv1a(data):
    h = 0xCBF29CE484222325
    for b in data:
        h = ((h ^ b) * 0x100000001B3) & MASK
    return h


def parameter(op, rng, h, w):
    sign = rng.choice((-1, 1))
    return {
        "autocontrast": 0,
        "equalize": 0,
        "posterize": rng.choice((1, 2, 3, 4, 4, 3, 8)),
        "solarize": rng.randrange(1, 257),
        "rotate": rng.choice((rng.randrange(-8, 9), rng.randrange(-8, 9), rng.randrange(-359, 360))),
        "shear_x": sign * rng.choice((rng.uniform(0.003, 0.09), rng.uniform(0, 0.6), 0.0625, 0.5)),
        "shear_y": sign * rng.choice((rng.uniform(0.003, 0.09), rng.uniform(0, 0.6), 0.0625, 0.5)),
        "translate_x": sign * rng.randrange(0, w + 2),
        "translate_y": sign * rng.randrange(0, h + 2),
    }[op]


def main():
    rng = random.Random(2022)
    print(f"# Pillow {PIL.__version__}; see make_augmix_golden.py")
    ops = "autocontrast equalize posterize solarize rotate shear_x shear_y translate_x translate_y".split()
    kinds = "noise pale steps flat ramp rare".split()
    count = 0
    for op in ops:
        moves = op in ("rotate", "shear_x", "shear_y")
        for i in range(400 if moves else 120):
            h, w = rng.choice(((32, 32), (32, 32), (16, 16), (17, 24), (9, 5), (1, 7), (6, 1)))
            if i == 0:
                h, w = 16, 16
            kind = kinds[i % len(kinds)]
            seed = rng.randrange(1 << 32)
            p = parameter(op, rng, h, w)
            data = apply(picture(seed, h, w, kind), op, p).tobytes()
            tail = " " + data.hex() if i == 0 else ""
            print(f"{seed} {h} {w} {kind} {op} {p!r} {fnv1a(data):016x}{tail}")
            count += 1
    rng = random.Random(2020)
    for op in "brightness contrast color sharpness".split():
        for i in range(120):
            h, w = rng.choice(((32, 32), (32, 32), (16, 16), (17, 24), (9, 5), (1, 7), (6, 1), (2, 2)))
            seed, p = rng.randrange(1 << 32), float(np.float32(rng.choice((rng.uniform(0.05, 0.95), rng.uniform(0, 3)))))
            data = apply(picture(seed, h, w, kinds[i % len(kinds)]), op, p).tobytes()
            print(f"{seed} {h} {w} {kinds[i % len(kinds)]} {op} {p!r} {fnv1a(data):016x}")


if __name__ == "__main__":
    main()
