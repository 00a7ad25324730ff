#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: small, valid files of each kind, drawn from a formula, into seeds/TARGET/.

Needs numpy, Pillow and scipy: python3 fuzz/make_seeds.py. The same files come out each time (gzip, zip and MATLAB
files up to their time stamps).
"""

import gzip
import io
import json
import shutil
import struct
import zipfile
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

HERE = Path(__file__).parent
SEEDS = HERE / "seeds"


def put(target, name, data):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


def numbers(*shape, kind="uint8"):
    return (np.arange(int(np.prod(shape)), dtype="int64") * 37 % 251).reshape(shape).astype(kind)


def npy(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    return out.getvalue()


def make_npy():
    for kind in ["<f4", ">f4", "<f8", ">f8", "<i8", ">i8", "<i4", ">u2", "|i1", "|u1"]:
        name = kind.strip("|<>") + ("-big" if kind[0] == ">" else "")
        put("npy", f"{name}-1d", npy(numbers(5, kind=kind)))
        put("npy", f"{name}-2d", npy(numbers(3, 2, kind=kind)))
    put("npy", "fortran", npy(np.asfortranarray(numbers(3, 2, kind="f4"))))
    put("npy", "version2", npy(numbers(2, 2, kind="f4"), (2, 0)))
    put("npy", "version3", npy(numbers(2, 2, kind="f4"), (3, 0)))
    put("npy", "four", npy(numbers(1, 2, 2, 3)))
    put("npy", "none", npy(numbers(0, 4, kind="f4")))
    put("npy", "nan", npy(np.array([[1, np.nan]], dtype="f4")))
    put("npy", "index", npy(np.array([3, 1, 99])))


def make_npz():
    parts = {}
    for part, n in [("train", 20), ("field", 2), ("holdout", 2)]:
        parts[f"{part}_images"] = numbers(n, 2, 2, 3)
        parts[f"{part}_labels"] = numbers(n, kind="int64") % 2
    grey = {name: array[..., 0] if name.endswith("images") else array for name, array in parts.items()}
    val = {"val_images": numbers(2, 2, 2, 3), "val_labels": numbers(2, kind="u1") % 2}
    for name, save, arrays in [
        ("plain", np.savez, parts),
        ("packed", np.savez_compressed, parts),
        ("grey", np.savez_compressed, grey),
        ("val", np.savez, parts | val),
        ("one", np.savez, {"a": numbers(4)}),
    ]:
        out = io.BytesIO()
        save(out, **arrays)
        put("npz", name, out.getvalue())


def make_mat():
    x, y = numbers(32, 32, 3, 2), np.array([[1], [10]])
    for name, arrays, packed in [
        ("plain", {"X": x, "y": y.astype("u1")}, False),
        ("packed", {"X": x, "y": y.astype("f8")}, True),
        ("one", {"X": x[..., 0], "y": np.array([[7]], dtype="i2")}, True),
        ("more", {"X": x, "meta": np.array([[1.5]]), "y": y.astype("f4")}, True),
        ("text", {"note": "hello", "y": y}, False),
        ("complex", {"y": y * 1j}, False),
    ]:
        out = io.BytesIO()
        scipy.io.savemat(out, arrays, do_compression=packed)
        put("mat", name, out.getvalue())


def make_idx():
    pictures = struct.pack(">I3I", 0x803, 2, 28, 28) + numbers(2 * 28 * 28).tobytes()
    labels = struct.pack(">2I", 0x801, 2) + bytes([3, 9])
    for name, data in [("pictures", pictures), ("labels", labels)]:
        put("idx", name, data)
        put("idx", f"{name}-gz", gzip.compress(data, mtime=0))
    put("idx", "two-gz", gzip.compress(labels[:5], mtime=0) + gzip.compress(labels[5:], mtime=0))


def make_picture():
    def save(name, mode="RGB", form="PNG", size=(5, 4), **how):
        bands = len(Image.new(mode, (1, 1)).getbands())
        if mode == "1":
            picture = Image.fromarray(numbers(size[1], size[0])).convert("1")
        elif mode == "P":
            picture = Image.fromarray(numbers(size[1], size[0], 3)).quantize(7)
        elif mode == "I;16":
            picture = Image.fromarray((numbers(size[1], size[0], kind="u2") * 257).astype("u2"))
        else:
            shape = (size[1], size[0]) if bands == 1 else (size[1], size[0], bands)
            picture = Image.fromarray(numbers(*shape), mode=None if bands != 4 or mode == "RGBA" else mode)
        out = io.BytesIO()
        picture.save(out, form, **how)
        put("picture", name, out.getvalue())

    for mode in ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"]:
        save(f"png-{mode.replace(';', '')}", mode)
    for mode in ["RGB", "L", "CMYK"]:
        save(f"jpeg-{mode}", mode, "JPEG", quality=30)
    save("jpeg-progressive", form="JPEG", progressive=True, size=(17, 9))
    save("jpeg-restart", form="JPEG", size=(33, 9), restart_marker_blocks=1)
    exif = Image.Exif()
    exif[0x112] = 6
    save("jpeg-turned", form="JPEG", exif=exif)
    save("png-turned", exif=exif)
    save("webp-lossy", form="WEBP")
    save("webp-lossless", "RGBA", "WEBP", lossless=True)
    for mode in ["RGB", "L", "P", "1"]:
        save(f"bmp-{mode}", mode, "BMP")
    for mode in ["RGB", "L", "1"]:
        save(f"pnm-{mode}", mode, "PPM")
    put("picture", "pnm-text", "P3\n# text\n2 1\n255\n1 2 3 4 5 6\n")
    put("picture", "pam", b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n123456")
    for packing in [None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"]:
        save(f"tiff-{packing}", form="TIFF", compression=packing)
    save("tiff-1", "1", "TIFF", compression="group4")
    save("tiff-I16", "I;16", "TIFF")
    save("gif", "P", "GIF")
    save("gif-interlaced", "P", "GIF", interlace=1)
    frames = [Image.fromarray(numbers(3, 3) + i) for i in range(2)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    put("picture", "gif-two", out.getvalue())


def make_manifest():
    rows = [("a/0.ppm", "cat", "train"), ("a/1.ppm", "dog", "train"), ("b.ppm", "cat", "field"), ("c.ppm", "dog", "holdout")]
    put("manifest", "csv", "path,label,split\n" + "".join(",".join(r) + "\n" for r in rows))
    put("manifest", "more", "\ufeffnote,split,path,label\n" + "".join(f'"x, y",{s},{p},{c}\n' for p, c, s in rows + [("bad.png", "cat", "val")]))
    line = lambda p, c, s: json.dumps({"path": p, "label": c, "split": s}) + "\n"
    put("manifest", "jsonl", "".join(line(*r) for r in rows))
    put("manifest", "numbers", "".join(line(p, len(c + s) % 2, s) for p, c, s in rows) + "\n")
    put("manifest", "wnids", "n1\nn2\n")
    put("manifest", "words", "n1\tcat, felid\nn2\tdog\nn3\tbird\n")
    put("manifest", "annotations", "0.JPEG\tn1\t0\t0\t1\t1\n1.JPEG\tn2\t0\t0\t1\t1\n")
    put("manifest", "signs", "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n00000_00000.ppm;2;1;0;0;1;1;0\n")


def make_labels():
    put("labels", "csv", "id,label,annotator,seconds\n0,stop,ann,1.5\n1,30,,\n2,,bob,\n3,0,,2\n")
    put("labels", "sheet", '\ufeffSeconds; Label;note;ID\n 2.5; stop ;x; 9\n\n;;;4\n;"a ""b"";c";;5\n')
    put("labels", "jsonl", '{"id":0,"label":"stop","annotator":"ann","seconds":1.5}\n{"id":1,"label":1}\n\n{"id":2,"label":null}\n')


def fixture(name):
    return (HERE.parent / "crates/label/tests/fixtures" / name).read_text()


def make_label_studio():
    put("label_studio", "json", fixture("label_studio.json"))
    put("label_studio", "min", fixture("label_studio_min.json"))
    put("label_studio", "small", '[{"data":{"hr_id":3},"annotations":[{"completed_by":1,"result":[{"type":"choices","value":{"choices":["stop"]}}]}]}]')
    put("labels", "label-studio", fixture("label_studio.csv"))
    put("labels", "files", "file,label,cost,answered\n1.png,stop,.5,2026-11-20\ncam 0/2.png,?,,\n")


def make_cvat():
    text = fixture("cvat_images_1_1.xml")
    put("cvat", "xml", text)
    put("cvat", "small", '<annotations><image name="images/3.png"><tag label="stop"/></image></annotations>')
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("annotations.xml", (1980, 1, 1, 0, 0, 0)), text)
    put("cvat", "zip", packed.getvalue())


def make_safetensors():
    def file(header, data=b""):
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + data

    meta = {"format": "pt", "hybridrepair": json.dumps({"spec": {"arch": "mobilenet", "width": 0.25, "classes": 2}})}
    two = {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}, "b": {"dtype": "F16", "shape": [3], "data_offsets": [16, 22]}}
    put("safetensors", "two", file({"__metadata__": meta, **two}, bytes(22)))
    put("safetensors", "none", file({}))
    put("safetensors", "scalar", file({"s": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]}}, bytes(8)))


def make_records():
    planes = numbers(2 * 3072).tobytes()
    record = lambda names, classes: names + b"\n" + b"".join(bytes([c]) + planes[i * 3072 :][:3072] for i, c in enumerate(classes))
    put("records", "signs", record(b"00001/00003_00000.ppm\n00001/00003_00001.ppm\n", [1, 1]))
    put("records", "turned", record(b"00042/00003_00000.ppm\n00007/00003_00001.ppm\n", [42, 7]))
    put("records", "one", record(b"00000/00000_00000.ppm\n", [0]))
    put("records", "ten", "\n".join("abcdefghij") + "\n")
    put("records", "hundred", "x\n" * 100)


def make_stl10():
    put("stl10", "one", bytes([1, 10])[:1] + b"\x0a" + numbers(27648).tobytes())
    put("stl10", "two", bytes([1, 10]) + numbers(2 * 27648).tobytes())


def make_runs():
    provenance = "bought"
    put("runs", "selection", "".join(json.dumps({"v": 1, "id": 70 + 10 * i, "idx": i, "rank": i, "score": 0.1 * i, "region": [None, 4][i % 2], "reason": "far"}) + "\n" for i in range(3)))
    put("runs", "labels", "".join(json.dumps({"v": 1, "id": 70 + 10 * i, "idx": i, "class": i, "provenance": [provenance, "propagated"][i % 2], "weight": 0.3}) + "\n" for i in range(3)))
    entry = {"v": 1, "time": "2026-01-01T00:00:00Z", "what": "field", "purpose": "annotate", "by": "table", "count": 1, "idx": 2, "class": 3, "cost": 1.0}
    put("runs", "ledger", json.dumps(entry) + "\n" + json.dumps(entry | {"purpose": "evaluate", "idx": None, "class": None}) + "\n")
    put("runs", "ledger-torn", json.dumps(entry) + "\n" + json.dumps(entry)[:60])
    events = [{"kind": "run-start", "version": "0.1.0"}, {"kind": "stage-start", "stage": "embed"}, {"kind": "stage-end", "stage": "embed", "seconds": 1.5, "cached": True}, {"kind": "warning", "stage": None, "message": "slow"}, {"kind": "run-end", "exit": 0}]
    put("runs", "events", "".join(json.dumps({"v": 1, "time": "2026-01-01T00:00:00Z", "event": e}) + "\n" for e in events))
    put("runs", "metrics", json.dumps({"v": 1, "stage": "train", "epoch": 1, "step": 2, "split": "val", "acc1": 0.5, "loss": 1.25, "lr": 0.1, "images": 100, "seconds": 2.0, "more": {"norm": None}}) + "\n")
    holdout = {"n": 100, "raw": 0.7, "before": 0.72, "after": 0.8, "repaired": 10, "broken": 2, "repaired_vs_raw": 12, "broken_vs_raw": 2, "per_class": [{"class": 0, "n": 9, "before": 0.5, "after": 0.75, "repaired": 3, "broken": 1}]}
    summary = {"format_version": 1, "method": "hybrid", "strategy": "hybrid", "trainer": "published", "preset": "default", "features": "penultimate", "seed": 10, "device": "cpu", "threads": 2, "budget": {"count": 5, "fraction": 0.01}, "labels_bought": 5, "holdout": holdout, "holdout_inputs_used": False, "images_trained": 10, "images_forward": 20, "images_pretrain": 0, "seconds": {"embed": 1.5}, "checkpoint": None}
    put("runs", "summary", json.dumps(summary, indent=1))
    put("runs", "config", 'seed = 3\nbudget = 0.5\nnames = ["a", "b"]\n\n[inner]\nepochs = 4\nrate = 1e-3\non = true\n')


def make_pytorch_file():
    for file in sorted((HERE.parent / "crates/pytorch-file/tests/fixtures").iterdir()):
        if file.suffix in {".pt", ".pth", ".tar", ".t7", ".pkl", ".npz"}:
            put("pytorch_file", file.name, file.read_bytes())


def make_patch():
    outcome = {"n": 10, "before": 0.8, "after": 0.9, "class_before": 0.5, "class_after": 1.0, "negatives": 2, "repaired": 2, "positives": 8, "broken": 1, "worst_drop": 0.5}
    provenance = {"tool": "hybridrepair 0.1.0", "data": "signs field", "class": 1, "class_name": "stop", "localizer": "arachne1", "search": "pso", "seed": 3, "labels": 10, "on_search": outcome}
    change = {"tensor": "fc.weight", "index": [1, 2], "old": -0.125, "new": 0.5}
    bias = {"tensor": "fc.bias", "index": [0], "old": 0.1, "new": -1.5}
    for name, changes, more in [("one", [change], {}), ("two", [bias, change], {"merged": [provenance, {}]}), ("none", [], {})]:
        patch = {"format_version": 1, "base_sha256": "0" * 64, "base": "m.safetensors", "changes": changes, "provenance": {**provenance, **more}}
        put("patch_file", name, json.dumps(patch))


def make_toolkit():
    put("toolkit", "weights", "-1,3,1\n-1,3,2,0.5\n\n18, 0, 0, 0.1, -2e-3\n")
    put("toolkit", "result", "# Settings\ndataset: signs\nnum_grad: None\n# Results\n0: RR 50.00%, BR 0.25%\n1 33.33% 1.50%\naverage: RR 41.66%, BR 0.88%\n")
    put("toolkit", "metrics", json.dumps({"per_class_accuracy": [0.5, 1.0], "accuracy": 0.75, "f1": 0.7, "recall": 0.75, "auc_under_roc": 0.9, "weighted_acc": 0.7, "rr": 50.0, "br": 0.1}))


if __name__ == "__main__":
    shutil.rmtree(SEEDS, ignore_errors=True)
    for make in [make_npy, make_npz, make_mat, make_idx, make_picture, make_manifest, make_labels, make_label_studio, make_cvat, make_safetensors, make_records, make_stl10, make_runs, make_pytorch_file, make_patch, make_toolkit]:
        make()
