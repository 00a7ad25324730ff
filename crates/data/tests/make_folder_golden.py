"""Golden values of Pillow (and torchvision's size rules) for the reading of picture files.

    python3 make_folder_golden.py        (Pillow 12.0 and numpy; writes the two .txt files beside it)

Pillow 13 sometimes resizes rows first, and is then off by one level in some pixels.

folder_resize.txt    policy, height and width of a picture made by a formula, height and width asked for, FNV-1a of the result
folder_pictures.txt  name, largest difference allowed, height, width, the file in hex, the RGB pixels that Pillow makes of it in hex
"""
import io
import pathlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).resolve().parent


def formula(h, w):
    i = np.arange(h * w * 3, dtype=np.uint64)
    smooth = (i // 3 % w * 5 + i // 3 // w * 3 + i % 3 * 40) % 256
    noise = (i * 2654435761 % 2**32) >> 24
    return np.where(i // 3 // w % 2 == 0, noise, smooth).astype(np.uint8).reshape(h, w, 3)


def fnv(data):
    h = 0xCBF29CE484222325
    for b in data:
        h = (h ^ b) * 0x100000001B3 % 2**64
    return h


def resized(picture, policy, h, w):
    """`picture` at h x w, the way torchvision's transforms call Pillow."""
    if policy == "stretch":
        return picture.resize((w, h), Image.BILINEAR)
    if policy == "fit-pad":
        return ImageOps.pad(picture, (w, h), Image.BILINEAR, color=(0, 0, 0))
    # torchvision.transforms.Resize(shorter), then CenterCrop((h, w))
    shorter = int(policy.split("=")[1]) if "=" in policy else h
    pw, ph = picture.size
    if pw <= ph:
        size = (shorter, int(shorter * ph / pw))
    else:
        size = (int(shorter * pw / ph), shorter)
    picture = picture.resize(size, Image.BILINEAR)
    top, left = int(round((size[1] - h) / 2.0)), int(round((size[0] - w) / 2.0))
    return picture.crop((left, top, left + w, top + h))


def resize_lines():
    sizes = [(15, 15), (32, 32), (33, 32), (250, 243), (67, 140), (28, 28), (1, 1), (1, 50), (201, 2), (500, 375)]
    for h, w in sizes:
        picture = Image.fromarray(formula(h, w))
        for policy, nh, nw in [
            ("stretch", 32, 32), ("stretch", 7, 61), ("stretch", 224, 224), ("fit-pad", 32, 32), ("fit-pad", 20, 45),
            ("center-crop", 32, 32), ("center-crop=37", 32, 32), ("center-crop=256", 224, 224), ("center-crop=50", 32, 44),
        ]:
            try:
                yield f"{policy} {h} {w} {nh} {nw} {fnv(resized(picture, policy, nh, nw).tobytes()):016x}"
            except ValueError:  # a side of less than half a pixel: Pillow gives up, the reader takes one pixel
                assert policy == "fit-pad"


def encoded(picture, **options):
    out = io.BytesIO()
    picture.save(out, **options)
    return out.getvalue()


def picture_lines():
    h, w = 9, 13
    y, x = np.mgrid[0:h, 0:w]
    smooth = np.stack([x * 19, y * 28, (x + y) * 12], -1).astype(np.uint8)
    rgb, noise = Image.fromarray(smooth), Image.fromarray(formula(h, w))
    alpha = np.dstack([formula(h, w), (x * y * 2).astype(np.uint8)])
    cmyk = Image.fromarray(np.dstack([smooth, (x * y).astype(np.uint8)]), "CMYK")
    grey = noise.convert("L")

    def line(name, tolerance, data, expected=None):
        if expected is None:
            expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
            expected = np.asarray(expected)
        return f"{name} {tolerance} {expected.shape[0]} {expected.shape[1]} {data.hex()} {expected.astype(np.uint8).tobytes().hex()}"

    for name, picture, options in [
        ("png-rgb", noise, dict(format="PNG")),
        ("png-grey", grey, dict(format="PNG")),
        ("png-grey-alpha", Image.fromarray(alpha[..., 2:], "LA"), dict(format="PNG")),
        ("png-rgb-alpha", Image.fromarray(alpha, "RGBA"), dict(format="PNG")),
        ("png-bits", grey.convert("1"), dict(format="PNG")),
        ("png-palette", noise.quantize(16), dict(format="PNG")),
        ("png-palette-transparent", noise.quantize(16), dict(format="PNG", transparency=3)),
        ("bmp", noise, dict(format="BMP")),
        ("bmp-grey", grey, dict(format="BMP")),
        ("ppm", noise, dict(format="PPM")),
        ("pgm", grey, dict(format="PPM")),
        ("pbm", grey.convert("1"), dict(format="PPM")),
        ("gif", noise.quantize(32), dict(format="GIF")),
        ("gif-two-frames", noise.quantize(8), dict(format="GIF", save_all=True, append_images=[grey.convert("P")])),
        ("tiff", noise, dict(format="TIFF")),
        ("tiff-lzw", noise, dict(format="TIFF", compression="tiff_lzw")),
        ("tiff-deflate-alpha", Image.fromarray(alpha, "RGBA"), dict(format="TIFF", compression="tiff_adobe_deflate")),
        ("webp-lossless", noise, dict(format="WEBP", lossless=True)),
    ]:
        yield line(name, 0, encoded(picture, **options))
    for name, tolerance, picture, options in [
        ("jpeg", 3, rgb, dict(quality=95, subsampling=0)),
        ("jpeg-420", 8, rgb, dict(quality=90, subsampling=2)),
        ("jpeg-progressive", 3, rgb, dict(quality=95, subsampling=0, progressive=True)),
        ("jpeg-grey", 3, rgb.convert("L"), dict(quality=90)),
        ("jpeg-cmyk", 4, cmyk, dict(quality=95)),
    ]:
        yield line(name, tolerance, encoded(picture, format="JPEG", **options))
    yield line("webp-lossy", 8, encoded(rgb, format="WEBP", quality=90))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield line(f"jpeg-exif-{orientation}", 3, encoded(rgb, format="JPEG", quality=95, subsampling=0, exif=exif))
    exif = Image.Exif()
    exif[0x0112] = 6
    yield line("png-exif-6", 0, encoded(noise, format="PNG", exif=exif))
    # 16 bits: Pillow's own conversion cuts or clips; ours rounds, so the expectation is computed here
    deep = (formula(h, w)[..., 0].astype(np.uint16) << 8) + (x * 20).astype(np.uint16)
    rounded = np.round(deep / 257.0).astype(np.uint8)
    yield line("png-grey-16", 0, encoded(Image.fromarray(deep), format="PNG"), np.dstack([rounded] * 3))
    yield line("pgm-16", 0, f"P5 {w} {h} 65535\n".encode() + deep.astype(">u2").tobytes(), np.dstack([rounded] * 3))
    yield line("tiff-grey-16", 0, encoded(Image.fromarray(deep), format="TIFF"), np.dstack([rounded] * 3))


(HERE / "folder_resize.txt").write_text("".join(line + "\n" for line in resize_lines()))
(HERE / "folder_pictures.txt").write_text("".join(line + "\n" for line in picture_lines()))
