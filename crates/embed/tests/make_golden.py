"""The golden numbers of golden.rs, by plain PyTorch: python make_golden.py (torch 2.11.0).

Every tensor is filled by a formula that both sides know, so that no file of weights is needed.
"""

import math

import torch
from torch.nn import functional as F

from moco_v3 import Moco

torch.set_num_threads(1)


def pattern(count, phase):
    return torch.cos(0.37 * torch.arange(count, dtype=torch.float64) + phase).float()


def fill(module):
    """Tensor number k of the state dict (counters left out): small weights, positive variances and scales."""
    k = 0
    for name, tensor in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        values = pattern(tensor.numel(), 0.11 * k).view(tensor.shape)
        if tensor.dim() == 1 and (name.endswith("running_var") or name.endswith("weight")):
            values = 1.0 + 0.1 * values
        elif tensor.dim() == 1:
            values = 0.1 * values
        else:
            values = values / math.sqrt(tensor[0].numel())
        tensor.copy_(values)
        k += 1
    return module


def contrast(q, k, temperature):
    logits = F.normalize(q, dim=1) @ F.normalize(k, dim=1).T / temperature
    return F.cross_entropy(logits, torch.arange(len(q))) * 2 * temperature


def lars_step(params, state, lr, momentum, weight_decay, trust):
    with torch.no_grad():
        for i, p in enumerate(params):
            g = p.grad
            if p.dim() > 1:
                g = g + weight_decay * p
                wn, gn = p.norm(), g.norm()
                if wn > 0 and gn > 0:
                    g = g * (trust * wn / gn)
            state[i] = momentum * state[i] + g if i in state else g.clone()
            p -= lr * state[i]


def show(name, values):
    print(f"{name}: [" + ", ".join(f"{v:.7}" for v in values) + "]")


with torch.no_grad():
    model = fill(Moco())
    model.momentum_encoder.load_state_dict(model.base_encoder.state_dict())
print("names:", [n for n in model.base_encoder.state_dict()][:2], len(model.state_dict()))

# a checkpoint read and used
x = pattern(2 * 3 * 32 * 32, 0.5).view(2, 3, 32, 32)
model.eval()
with torch.no_grad():
    show("features", F.normalize(model.predictor(model.base_encoder(x)), dim=1).flatten().tolist())

# the loss of a batch in training mode, in f64: in f32 the batch norms of this small network carry rounding up to the
# second digit
model.double().train()
one = pattern(8 * 3 * 32 * 32, 0.1).view(8, 3, 32, 32)
two = torch.sin(1.3 * pattern(8 * 3 * 32 * 32, 0.9)).view(8, 3, 32, 32) * torch.linspace(0.2, 1.6, 8).view(8, 1, 1, 1)
one, two = (one * torch.linspace(1.5, 0.4, 8).view(8, 1, 1, 1)).double(), two.double()
with torch.no_grad():
    q1, q2 = model.predictor(model.base_encoder(one)), model.predictor(model.base_encoder(two))
    k1, k2 = model.momentum_encoder(one), model.momentum_encoder(two)
    print(f"loss: {(contrast(q1, k2, 0.5) + contrast(q2, k1, 0.5)).item():.7}")

# LARS alone
w, b = (pattern(6, 0.2).view(2, 3)).requires_grad_(), pattern(3, 0.4).requires_grad_()
zero = torch.zeros(2, 2, requires_grad=True)
state = {}
for step in range(3):
    for p in (w, b, zero):
        p.grad = None
    ((w @ b) ** 2).sum().add((zero - 1.0).pow(2).sum()).backward()
    lars_step([w, b, zero], state, 0.5, 0.9, 0.1, 0.02)
show("lars w", w.flatten().tolist())
show("lars b", b.tolist())
show("lars zero", zero.flatten().tolist())
