#!/usr/bin/env python3
"""Makes of an ordinary PyTorch module the file that `hybridrepair repair --torchscript` takes. One file, to copy beside your
own code; needs torch alone.

In your program:

    from export_torchscript import export
    export(model, "model.pt", class_names=["cat", "dog"], mean=(.485, .456, .406), std=(.229, .224, .225), size=224,
           resize="center-crop=256")

or from a shell, for a class or function of a module that can be imported and a state dict:

    export_torchscript.py mypackage.nets:resnet --weights weights.pth --classes classes.txt --size 224 --output model.pt
"""
import argparse
import importlib
import json
import sys

import torch


def export(model, path, class_names=None, mean=None, std=None, size=None, resize=None):
    """Scripts `model` and writes it to `path` with what hybridrepair wants to know about its input.

    model: a module whose forward takes n x 3 x h x w (pixels in 0 to 1, minus mean, over std) and gives logits, or
      (logits, features); with a method `features` marked by torch.jit.export, the features come from there.
    class_names: in the order of the logits. size: a side, or (height, width). resize: stretch, fit-pad, center-crop or
      center-crop=SHORTER_SIDE (torchvision's Resize(SHORTER_SIDE) and CenterCrop(size)).
    """
    model = model.cpu().eval()
    try:
        scripted = torch.jit.script(model)
    except Exception as error:  # the message of torch says where, but not what to do
        raise SystemExit(
            f"{error}\n\nexport_torchscript: this module cannot be scripted. A trace would freeze batch norm and cannot be "
            "repaired. Rewrite what the message names (typed arguments, no **kwargs, modules instead of functions in lists)."
        ) from None
    facts = {}
    if class_names is not None:
        facts["class_names"] = [str(name) for name in class_names]
    if (mean is None) != (std is None):
        raise SystemExit("export_torchscript: mean and std go together")
    if mean is not None:
        facts["normalization"] = {"mean": [float(v) for v in mean], "std": [float(v) for v in std]}
    height, width = (size, size) if isinstance(size, int) else (size or (None, None))
    if height is not None:
        facts["input"] = [int(height), int(width)]
        with torch.no_grad():
            out = scripted(torch.zeros(2, 3, height, width))
        logits = out[0] if isinstance(out, tuple) else out
        if class_names is not None and logits.shape[1] != len(class_names):
            raise SystemExit(f"export_torchscript: {logits.shape[1]} logits for {len(class_names)} class names")
    if resize is not None:
        facts["resize"] = resize
    torch.jit.save(scripted, path, _extra_files={"hybridrepair.json": json.dumps(facts)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="MODULE:NAME of a class or function without arguments that gives the network")
    parser.add_argument("--weights", help="a state dict of torch.save")
    parser.add_argument("--classes", help="names, one per line, in the order of the logits")
    parser.add_argument("--mean", nargs=3, type=float)
    parser.add_argument("--std", nargs=3, type=float)
    parser.add_argument("--size", type=int, nargs="+", help="a side, or height and width")
    parser.add_argument("--resize", help="stretch, fit-pad, center-crop or center-crop=SHORTER_SIDE")
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    sys.path.insert(0, "")
    module, _, name = args.model.partition(":")
    model = getattr(importlib.import_module(module), name)()
    if args.weights:
        state = torch.load(args.weights, map_location="cpu", weights_only=True)
        for key in ("state_dict", "model", "net", "model_state_dict"):
            if isinstance(state, dict) and isinstance(state.get(key), dict):
                state = state[key]
        model.load_state_dict({k.removeprefix("module."): v for k, v in state.items()})
    names = None
    if args.classes:
        with open(args.classes, encoding="utf-8") as lines:
            names = lines.read().splitlines()
    size = args.size[0] if args.size and len(args.size) == 1 else args.size
    export(model, args.output, names, args.mean, args.std, size, args.resize)
    print(args.output)


if __name__ == "__main__":
    main()
