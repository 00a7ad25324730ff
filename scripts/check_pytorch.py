"""What scripts/check-pytorch does, once it has a Python with torch."""
import argparse
import csv
import gzip
import json
import pathlib
import random
import subprocess
import sys
import time

import numpy as np
import torch
from export_torchscript import export
from PIL import Image
from torch import nn

NAMES = ["T-shirt & top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
MEAN, STD = (0.2860,) * 3, (0.3530,) * 3


class Net(nn.Module):
    """Anybody's small network: logits and nothing else."""

    def __init__(self, classes: int):
        super().__init__()
        layers = []
        for i, o in [(3, 16), (16, 32), (32, 64)]:
            layers += [nn.Conv2d(i, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(2)]
        self.body, self.head = nn.Sequential(*layers), nn.Linear(64 * 9, classes)

    def features(self, x):
        return self.body(x).flatten(1)

    def forward(self, x):
        return self.head(self.features(x))


def pictures(data):
    with gzip.open(data / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(data / "t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images, labels


def in_the_field(image, i):
    """The camera of the field: the other way round, darker, with a shadow."""
    image = image[:, ::-1].astype(np.float32) * (0.45 + 0.3 * ((i * 7) % 10) / 10)
    image[:, : (i * 3) % 14] *= 0.5
    return image.astype(np.uint8)


def write(work, images, labels):
    """A source folder, an unlabelled field pool side by side, and a labelled holdout. Gives the field's truth by name."""
    truth = {}
    for i, (image, label) in enumerate(zip(images, labels)):
        part = "train" if i < 3000 else "field" if i < 5000 else "holdout" if i < 7000 else None
        if part is None:
            break
        picture = Image.fromarray(image if part == "train" else in_the_field(image, i))
        folder = work / part / ("" if part == "field" else NAMES[label])
        folder.mkdir(parents=True, exist_ok=True)
        picture.save(folder / f"{i:05}.png")
        if part == "field":
            truth[f"{i:05}.png"] = int(label)
    return truth


def tensor(files):
    rows = [np.asarray(Image.open(f).convert("RGB"), np.float32) / 255 for f in files]
    x = torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2)
    return (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def labelled(folder, names):
    files = [(f, names.index(d.name)) for d in sorted(folder.iterdir()) for f in sorted(d.iterdir())]
    return tensor([f for f, _ in files]), torch.tensor([c for _, c in files])


def train(work, names):
    torch.manual_seed(1)
    x, y = labelled(work / "train", names)
    net = Net(len(names))
    opt = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9, weight_decay=5e-4)
    for _ in range(4):
        for rows in torch.randperm(len(x)).split(64):
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            opt.zero_grad()
            loss.backward()
            opt.step()
    return net.eval()


def accuracy(net, x, y):
    with torch.no_grad():
        return (torch.cat([net(part).argmax(1) for part in x.split(500)]) == y).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--budget", default="60")
    args = parser.parse_args()
    torch.set_num_threads(2)
    work = args.work
    truth = write(work, *pictures(args.data))
    # classes in an order of the model's own, which is not that of the folders' names
    names = NAMES
    net = train(work, names)
    export(net, str(work / "model.pt"), names, MEAN, STD, 28)
    x, y = labelled(work / "holdout", names)
    deployed = accuracy(net, x, y)

    def tool(*words, code=0):
        began = time.time()
        ran = subprocess.run([args.tool, *map(str, words)], cwd=work, capture_output=True, text=True)
        print(f"$ hybridrepair {' '.join(map(str, words))}   [exit {ran.returncode}, {time.time() - began:.0f} s]")
        if ran.returncode != code:
            sys.exit(f"check-pytorch: exit {ran.returncode} instead of {code}\n{ran.stdout}\n{ran.stderr}")
        return ran.stdout

    tool("repair", "--torchscript", "model.pt", "--train", "train", "--field", "field", "--holdout", "holdout",
         "--budget", args.budget, "--epochs", 2, "--replay-epochs", 1, "--output-dir", "run", "--quiet", code=3)
    tool("label", "export", "run", "--to", "csv", "--output", "ask.csv")
    with open(work / "ask.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    dice = random.Random(1)
    dice.shuffle(rows)

    def fill(name, part, by, wrong):
        """Answers of one person, some of them wrong."""
        with open(work / name, "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["id", "label", "annotator", "seconds"])
            for row in part:
                label = truth[pathlib.Path(row["file"]).name]
                if dice.random() < wrong:
                    label = (label + 1) % len(names)
                out.writerow([row["id"], names[label], by, f"{dice.uniform(1, 6):.1f}"])

    third = len(rows) // 3
    fill("ann.csv", rows[: 2 * third], "ann", 0.2)
    fill("bob.csv", rows[third:], "bob", 0.2)
    tool("label", "import", "run", "ann.csv")
    tool("resume", "run", "--quiet", code=3)
    tool("label", "import", "run", "bob.csv")
    # whoever is at odds, and all others once more: cleo, who is never wrong
    fill("cleo.csv", rows, "cleo", 0.0)
    status = json.loads(tool("label", "import", "run", "cleo.csv", "--json"))["status"]
    print(f"  {status['answers']} answers, {len(status['disputed'])} outvoted, {len(status['ties'])} ties")
    if status["ties"]:
        fill("dan.csv", [r for r in rows if any(t["id"] == int(r["id"]) for t in status["ties"])], "dan", 0.0)
        tool("label", "import", "run", "dan.csv")
    tool("resume", "run", "--quiet")
    summary = json.loads((work / "run/summary.json").read_text())
    repaired = accuracy(torch.jit.load(str(work / "run/checkpoints/best.pt")), x, y)
    told = json.loads(tool("evaluate", "--torchscript", "run/checkpoints/best.pt", "--against", "model.pt", "--field", "holdout",
                           "--train", "train", "--holdout", "holdout", "--json"))
    holdout = summary["holdout"]
    print(f"deployed:  PyTorch {deployed:.4f}   hybridrepair {holdout['raw']:.4f}")
    print(f"repaired:  PyTorch {repaired:.4f}   hybridrepair {holdout['after']:.4f}   (evaluate: {told['accuracy']:.4f})")
    for theirs, ours in [(deployed, holdout["raw"]), (repaired, holdout["after"]), (repaired, told["accuracy"])]:
        if round(theirs, 4) != round(ours, 4):
            sys.exit(f"check-pytorch: {theirs:.6f} is not {ours:.6f} to four digits")
    print("check-pytorch: equal to four digits")


if __name__ == "__main__":
    main()
