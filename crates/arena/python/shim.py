"""Runs `train(task)` of the train.py beside this file as an entry of the arena.

The task is that of the AutoTrain competition: `state`, `default_batch_size`, `target_test_loss`,
`train_iterator(batch_size, shuffle)`, `batch_loss(batch)`, `batch_loss_and_gradient(batch)`, `test(state)`.
Tensors are PyTorch's where PyTorch is installed and ARENA_TENSORS does not say otherwise (`torch`, `numpy`, `array`), else
NumPy's, else flat `array.array('f')`. The referee is at the other end of standard input and output.
"""

import array
import json
import os
import struct
import sys


class Done(BaseException):
    """The run is over. No subclass of Exception, so that `except Exception` in an entry does not swallow it."""


def _tensors():
    wanted = os.environ.get("ARENA_TENSORS", "torch,numpy,array").split(",")
    torch = numpy = None
    if "torch" in wanted:
        try:
            import torch
            torch.set_num_threads(1)
        except ImportError:
            torch = None
    if "torch" in wanted or "numpy" in wanted:
        try:
            import numpy
        except ImportError:
            numpy = None
    return (torch if numpy is not None else None), numpy


class Wire:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, words, tensors=()):
        header = {"__metadata__": {k: str(v) for k, v in words.items()}}
        start = 0
        for number, (name, shape, data) in enumerate(tensors):
            header["%06d.%s" % (number, name)] = {
                "dtype": "F32", "shape": list(shape), "data_offsets": [start, start + len(data)]}
            start += len(data)
        head = json.dumps(header).encode()
        head += b" " * (-len(head) % 8)
        self.writer.write(struct.pack("<QQ", 8 + len(head) + start, len(head)) + head)
        for _, _, data in tensors:
            self.writer.write(data)
        self.writer.flush()

    def receive(self):
        length, head = struct.unpack("<QQ", self._read(16))
        header = json.loads(self._read(head))
        body = self._read(length - 8 - head)
        words = header.pop("__metadata__", {})
        tensors = []
        for name in sorted(header):
            start, end = header[name]["data_offsets"]
            tensors.append((name.split(".", 1)[1], header[name]["shape"], body[start:end]))
        return words, tensors

    def _read(self, n):
        data = self.reader.read(n)
        if len(data) != n:
            raise Done("the referee is gone")
        return data


class Batch:
    """Opaque: it names a batch and holds none of it."""

    def __init__(self, words):
        self._id = {key: words[key] for key in ("epoch", "start", "len")}


class Task:
    def __init__(self, wire, torch, numpy):
        self._wire, self._torch, self._numpy = wire, torch, numpy
        wire.send({"op": "ready"})
        words, tensors = wire.receive()
        self._spec = words
        self._shapes = [(name, shape) for name, shape, _ in tensors]
        self.name = words["name"]
        self.seed = int(words["seed"])
        self.examples = int(words["examples"])
        self.default_batch_size = int(words["default_batch"])
        self.target_test_loss = float(words["target"])
        self.parameter_names = [name for name, _ in self._shapes]
        self.state = [self._tensor(shape, data) for _, shape, data in tensors]
        self._sent = None

    def train_iterator(self, batch_size=None, shuffle=True):
        """One pass over the training data; a last short batch is dropped."""
        size = min(batch_size or self.default_batch_size, self.examples)
        self._ask({"op": "epoch", "shuffle": "true" if shuffle else "false"})
        for _ in range(self.examples // size):
            words, _ = self._ask({"op": "batch", "size": size})
            yield Batch(words)

    def batch_loss(self, batch):
        """Loss of the current state on the batch; changes nothing."""
        words, _ = self._ask(dict(batch._id, op="loss", norm="batch"), self.state)
        return float(words["loss"])

    def batch_loss_and_gradient(self, batch):
        """Loss and gradient of the current state; the gradient is yours and never changes."""
        words, tensors = self._ask(dict(batch._id, op="grad"), self.state)
        return float(words["loss"]), [self._tensor(shape, data) for _, shape, data in tensors]

    def test(self, state=None):
        """Mean loss of the given tensors on the target split; ends the run when it is below the target."""
        words, _ = self._ask({"op": "probe"}, self.state if state is None else state)
        return float(words["loss"])

    def _ask(self, words, state=None):
        tensors = ()
        if state is not None:
            data = [self._bytes(t) for t in state]
            # parameters go with a question only when they have changed
            if data != self._sent:
                tensors = [(name, shape, d) for (name, shape), d in zip(self._shapes, data)]
                self._sent = data
        self._wire.send(words, tensors)
        answer, tensors = self._wire.receive()
        if answer["op"] == "stop":
            raise Done(answer["why"])
        return answer, tensors

    def _tensor(self, shape, data):
        if self._numpy is None:
            return array.array("f", data)
        values = self._numpy.frombuffer(bytearray(data), dtype="<f4").reshape(shape)
        return values if self._torch is None else self._torch.from_numpy(values)

    def _bytes(self, tensor):
        if self._torch is not None and isinstance(tensor, self._torch.Tensor):
            tensor = tensor.detach().cpu().numpy()
        if self._numpy is not None:
            return self._numpy.ascontiguousarray(tensor, dtype="<f4").tobytes()
        return array.array("f", tensor).tobytes()


def main():
    # what an entry prints must not come between the messages
    out = os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)
    reader = os.fdopen(os.dup(0), "rb", buffering=1 << 16)
    os.close(0)
    here = os.path.dirname(os.path.abspath(__file__))
    if here not in sys.path:
        sys.path.insert(0, here)
    torch, numpy = _tensors()
    from train import train
    wire = Wire(reader, out)
    task = None
    try:
        task = Task(wire, torch, numpy)
        train(task)
    except Done:
        pass
    try:
        wire.send({"op": "return"})
    except OSError:
        pass


if __name__ == "__main__":
    main()
