"""Logits of the published networks in plain PyTorch, for tests/golden.rs: python3 make_golden.py (needs torch).

Every number of the weights is a sine, so that both sides fill the same network without sharing a file.
"""
import math

import numpy
import torch
from torch import nn
from torch.nn import functional as F

BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]


class Block(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        self.conv1 = nn.Conv2d(i, i, 3, s, 1, groups=i, bias=False)
        self.bn1 = nn.BatchNorm2d(i)
        self.conv2 = nn.Conv2d(i, o, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(o)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


class MobileNet(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        c = round(32 * width)
        self.conv1, self.bn1 = nn.Conv2d(3, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c)
        layers = []
        for o, s in BLOCKS:
            layers.append(Block(c, round(o * width), s))
            c = round(o * width)
        self.layers, self.linear = nn.Sequential(*layers), nn.Linear(c, classes)

    def forward(self, x):
        x = self.layers(F.relu(self.bn1(self.conv1(x))))
        x = F.adaptive_avg_pool2d(F.avg_pool2d(x, 2), 1).flatten(1)
        return self.linear(x)


class BasicBlock(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, s, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.downsample = None
        if s != 1 or i != o:
            self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, s, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        c = round(64 * width)
        self.conv1, self.bn1 = nn.Conv2d(3, c, 7, 2, 3, bias=False), nn.BatchNorm2d(c)
        for k in range(4):
            o = round((64 << k) * width)
            setattr(self, f"layer{k + 1}", nn.Sequential(BasicBlock(c, o, 2 if k else 1), BasicBlock(o, o, 1)))
            c = o
        self.fc = nn.Linear(c, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for k in range(4):
            x = getattr(self, f"layer{k + 1}")(x)
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Unit(nn.Module):
    def __init__(self, i, o, first, groups):
        super().__init__()
        branch, self.first, self.groups = o - i if first else o, first, groups
        mid = branch // 4
        self.conv1, self.bn1 = nn.Conv2d(i, mid, 1, groups=groups, bias=False), nn.BatchNorm2d(mid)
        self.conv2 = nn.Conv2d(mid, mid, 3, 2 if first else 1, 1, groups=mid, bias=False)
        self.bn2 = nn.BatchNorm2d(mid)
        self.conv3, self.bn3 = nn.Conv2d(mid, branch, 1, groups=2, bias=False), nn.BatchNorm2d(branch)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        n, c, h, w = y.shape
        y = y.view(n, self.groups, c // self.groups, h, w).transpose(1, 2).reshape(n, c, h, w)
        y = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(y)))))
        if self.first:
            return F.relu(torch.cat([y, F.avg_pool2d(x, 3, 2, 1)], 1))
        return F.relu(y + x)


class ShuffleNetG2(nn.Module):
    """Width 1 only: that is the published network."""

    def __init__(self, classes):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 24, 1, bias=False), nn.BatchNorm2d(24)
        c = 24
        for k, (o, count) in enumerate([(200, 4), (400, 8), (800, 4)]):
            units = []
            for i in range(count):
                units.append(Unit(c, o, i == 0, 1 if c == 24 else 2))
                c = o
            setattr(self, f"layer{k + 1}", nn.Sequential(*units))
        self.linear = nn.Linear(c, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for k in range(3):
            x = getattr(self, f"layer{k + 1}")(x)
        return self.linear(F.avg_pool2d(x, 4).flatten(1))


class VGG16(nn.Module):
    """Configuration D; one dense layer of 4096, the last map averaged."""

    def __init__(self, width, classes):
        super().__init__()
        c, layers = 3, []
        for v in [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]:
            if v == 0:
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(c, round(v * width), 3, 1, 1), nn.ReLU()]
                c = round(v * width)
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Linear(c, round(4096 * width)), nn.ReLU(), nn.Linear(round(4096 * width), classes))

    def forward(self, x):
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 1).flatten(1))


class DenseLayer(nn.Module):
    def __init__(self, c, growth):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(c), nn.Conv2d(c, 4 * growth, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(4 * growth), nn.Conv2d(4 * growth, growth, 3, 1, 1, bias=False)

    def forward(self, x):
        return torch.cat([x, self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))], 1)


class Transition(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(c), nn.Conv2d(c, c // 2, 1, bias=False)

    def forward(self, x):
        return F.avg_pool2d(self.conv(F.relu(self.norm(x))), 2)


class DenseNet121(nn.Module):
    def __init__(self, growth, classes):
        super().__init__()
        c, f = 2 * growth, nn.Sequential()
        f.add_module("conv0", nn.Conv2d(3, c, 7, 2, 3, bias=False))
        f.add_module("norm0", nn.BatchNorm2d(c))
        f.add_module("relu0", nn.ReLU())
        f.add_module("pool0", nn.MaxPool2d(3, 2, 1))
        for k, count in enumerate([6, 12, 24, 16]):
            block = nn.Sequential()
            for i in range(count):
                block.add_module(f"denselayer{i + 1}", DenseLayer(c, growth))
                c += growth
            f.add_module(f"denseblock{k + 1}", block)
            if k < 3:
                f.add_module(f"transition{k + 1}", Transition(c))
                c //= 2
        f.add_module("norm5", nn.BatchNorm2d(c))
        self.features, self.classifier = f, nn.Linear(c, classes)

    def forward(self, x):
        return self.classifier(F.adaptive_avg_pool2d(F.relu(self.features(x)), 1).flatten(1))


def sines(shape, phase, scale, offset):
    n = math.prod(shape)
    return (offset + scale * torch.sin(0.7 * torch.arange(n, dtype=torch.float64) + phase)).float().reshape(shape)


SCALES = ("running_var", "bn1.weight", "bn2.weight", "bn3.weight", "downsample.1.weight", "norm.weight")
SCALES += ("norm0.weight", "norm1.weight", "norm2.weight", "norm5.weight")


def fill(net):
    phase = 0
    for name, t in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if t.dim() > 1:
            value = sines(t.shape, phase, 1.5 / math.sqrt(t[0].numel()), 0.0)
        elif name.endswith(SCALES):
            value = sines(t.shape, phase, 0.2, 1.0)
        else:
            value = sines(t.shape, phase, 0.1, 0.05)
        t.copy_(value)
        phase += 1


def adabound(lr=0.05, final=0.1, gamma=1e-3, decay=0.01):
    """Luo et al. 2019 in double precision, from the formulas alone: PyTorch has no AdaBound."""
    w = numpy.array([1.0, -2.0, 0.5])
    m, v = numpy.zeros(3), numpy.zeros(3)
    for t in range(1, 101):
        g = -1.3 * numpy.sin(1.3 * w) + 0.2 * w**3 + decay * w
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        low, high = final * (1 - 1 / (gamma * t + 1)), final * (1 + 1 / (gamma * t))
        rate = lr * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) / (numpy.sqrt(v) + 1e-8)
        w = w - numpy.clip(rate, low, high) * m
    return w


if __name__ == "__main__":
    # ResNet's last map of a 32x32 picture is one pixel: batch statistics of two numbers would magnify rounding
    for net, side in [(MobileNet(0.25, 7), 32), (ResNet18(0.25, 7), 96), (ShuffleNetG2(7), 32), (VGG16(0.25, 7), 32),
                      (DenseNet121(8, 7), 96)]:
        with torch.no_grad():
            fill(net)
            x = sines((2, 3, side, side), 0.3, 1.0, 0.0)
            print(type(net).__name__)
            print("eval ", net.eval()(x).double().flatten().tolist())
            print("train", net.train()(x).double().flatten().tolist())
            print("moved", net.eval()(x).double().flatten().tolist())
    optim = torch.optim
    for name, make in [("sgd", lambda p: optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01)),
                       ("nesterov", lambda p: optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01, nesterov=True)),
                       ("adamw", lambda p: optim.AdamW(p, lr=0.05, weight_decay=0.1)),
                       ("adam", lambda p: optim.Adam(p, lr=0.05, weight_decay=0.01)),
                       ("nadam", lambda p: optim.NAdam(p, lr=0.05, weight_decay=0.01)),
                       ("adamax", lambda p: optim.Adamax(p, lr=0.05, weight_decay=0.01)),
                       ("rmsprop", lambda p: optim.RMSprop(p, lr=0.002, weight_decay=0.01)),
                       ("rmsprop, centered", lambda p: optim.RMSprop(p, lr=0.002, weight_decay=0.01, momentum=0.5,
                                                                     centered=True)),
                       ("adagrad", lambda p: optim.Adagrad(p, lr=0.05, lr_decay=0.01, weight_decay=0.01)),
                       ("adadelta", lambda p: optim.Adadelta(p, lr=1.0, weight_decay=0.01))]:
        w = torch.tensor([1.0, -2.0, 0.5], requires_grad=True)
        opt = make([w])
        for _ in range(100):
            opt.zero_grad()
            (torch.cos(w * 1.3).sum() + 0.05 * (w**4).sum()).backward()
            opt.step()
        print(name, w.detach().double().tolist())
    print("adabound", adabound().tolist())
