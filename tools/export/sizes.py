#!/usr/bin/python3
"""Write small networks whose values tell sizes, as ONNX files: sizes.py [-o DIR].

The files in ortcheck/testdata/sizes are what it writes without options. Each has a picture or rows x and some numbers p,
from which it computes boxes, places and counts as detectors do, with bounds by Clip, Min or Max.

Needs onnx: Debian's python3-onnx.
"""
import argparse
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Net:
    """A graph under construction; each method call appends a node and returns the name of its value."""

    def __init__(self, outer=None):
        self.nodes, self.weights = [], []
        self.outer = outer

    def name(self):
        top = self
        while top.outer:
            top = top.outer
        top.count = getattr(top, "count", 0) + 1
        return f"v{top.count}"

    def const(self, value, dtype="int64"):
        name = self.name()
        self.weights.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def __getattr__(self, kind):
        if kind.startswith("_") or kind == "count":
            raise AttributeError(kind)

        def put(*inputs, outputs=1, **attrs):
            names = [self.name() for _ in range(outputs)]
            args = [x if isinstance(x, str) else self.const(x) for x in inputs]
            self.nodes.append(helper.make_node(kind, args, names, **attrs))
            return names[0] if outputs == 1 else names

        return put

    def number(self, k, lo, hi):
        """p[k] times 20, between lo and hi, as a list of one integer."""
        v = self.Mul(self.Gather("p", [k]), self.const(20, "float32"))
        return self.Cast(self.Clip(v, self.const(lo, "float32"), self.const(hi, "float32")), to=TensorProto.INT64)

    def graph(self, name, inputs, outputs):
        def info(x):
            return helper.make_tensor_value_info(*x)

        return helper.make_graph(self.nodes, name, [info(x) for x in inputs], [info(x) for x in outputs], self.weights)


def resize(n):
    """A picture resized to a box in it, and its middle again."""
    top, bottom = n.number(0, 0, 12), n.number(1, 0, 12)
    height = n.Max(n.Add(n.Sub(bottom, top), [1]), [1])
    width = n.Min(n.Max(n.Sub(n.number(2, -5, 9), [2]), [1]), [6])
    y = n.Resize("x", "", "", n.Concat([1], [3], height, width, axis=0), mode="linear", coordinate_transformation_mode="half_pixel")
    return {y: 4, n.ReduceMean(n.Relu(y), axes=[2, 3]): 4}


def cut(n):
    """Five columns from a place that was found, rows between two places, and every second one from the end."""
    best = n.ArgMax(n.Gather("x", n.const(0), axis=0), axis=2, keepdims=0)  # 3 x 8
    k = n.Reshape(n.Gather(n.Reshape(best, [-1]), n.const(3)), [1])
    five = n.Slice(n.Pad("x", [0, 0, 0, 0, 0, 0, 0, 5]), k, n.Add(k, [5]), [3])
    rows = n.Slice("x", n.number(0, -3, 8), n.number(1, -3, 9), [2])
    back = n.Slice("x", n.number(2, -9, 9), n.number(3, -9, 9), [3], [-2])
    return {n.Conv(five, n.const(np.arange(-1, 1, 1 / 12).reshape(2, 3, 2, 2), "float32")): 4, rows: 4, back: 4}


def pad(n):
    """Rows moved down by padding, and a mask of zeros, the cut out box, and zeros."""
    k = n.number(0, 0, 5)
    after = n.Sub([5], k)
    moved = n.Pad("x", n.Concat([0, 0], k, [0, 0, 0], after, [0], axis=0), n.const(0.5, "float32"))
    top, bottom = n.number(1, 0, 4), n.number(2, 4, 8)
    inner = n.Slice("x", top, bottom, [2])
    above = n.ConstantOfShape(n.Concat([1, 3], top, [8], axis=0))
    below = n.ConstantOfShape(n.Concat([1, 3], n.Sub([8], bottom), [8], axis=0))
    whole = n.Slice(n.Concat(above, inner, below, axis=2), [0], [8], [2])
    return {n.Slice(moved, [0], [13], [2]): 4, n.Add(whole, "x"): 4}


def repeat(n):
    """Operators whose results are as long as data say."""
    k = n.number(0, 1, 6)
    rows = n.Reshape("x", [3, 64])
    best, _ = n.TopK(rows, k, outputs=2)
    first, last = n.Split(rows, n.Concat(n.Mul(k, [5]), n.Sub([64], n.Mul(k, [5])), axis=0), outputs=2, axis=1)
    scalar = n.Squeeze(k)
    steps = n.Range(n.const(0), scalar, n.const(1))
    tiled = n.Tile(n.Gather(rows, n.const(0)), k)
    wide = n.Expand(n.Gather(rows, [0, 1], axis=1), n.Concat(k, [1, 1], axis=0))
    return {best: 2, first: 2, last: 2, n.Cast(steps, to=TensorProto.FLOAT): 1, tiled: 1, n.ReduceSum(wide, [0], keepdims=0): 2}


def paste(n):
    """Masks of the rows that are found, each resized to its box and put into a picture, by a loop."""
    scores = n.ReduceMax("x", axes=[2, 3], keepdims=0)
    found = n.Squeeze(n.NonZero(n.Greater(n.Squeeze(scores, [0]), n.const(1.5, "float32"))), [0])
    masks = n.Gather("x", found, axis=1)
    count = n.Gather(n.Shape(masks), n.const(1))
    boxes = n.Clip(n.Mul(n.Reshape(n.Gather("p", list(range(4)) * 3), [3, 4]), n.const(10, "float32")), n.const(-2, "float32"), n.const(7, "float32"))
    boxes = n.Cast(n.Gather(boxes, found, axis=0), to=TensorProto.INT64)
    none = n.const(np.zeros([0, 8, 8]), "float32")
    b = Net(n)
    box = b.Gather(boxes, "i")
    edge = [b.Unsqueeze(b.Gather(box, b.const(k)), [0]) for k in range(4)]
    height, width = [b.ReduceMax(b.Concat(b.Add(b.Sub(edge[2 + k], edge[k]), [1]), [1], axis=0), axes=[0]) for k in (0, 1)]
    mask = b.Unsqueeze(b.Unsqueeze(b.Gather(b.Gather(masks, b.const(0)), "i"), [0]), [0])
    mask = b.Squeeze(b.Resize(mask, "", "", b.Concat([1, 1], height, width, axis=0), mode="linear", coordinate_transformation_mode="half_pixel"), [0, 1])
    for k in (0, 1):
        start = b.Max(edge[k], [0])
        end = b.Min(b.Add(b.Max(edge[2 + k], edge[k]), [1]), [8])
        end = b.Max(end, start)
        inner = b.Slice(mask, b.Sub(start, edge[k]), b.Sub(end, edge[k]), [k])
        other = b.Slice(b.Shape(inner), [1 - k], [2 - k])
        rest = b.Sub([8], end)
        zeros = [b.ConstantOfShape(b.Concat(*([v, other] if k == 0 else [other, v]), axis=0)) for v in (start, rest)]
        mask = b.Slice(b.Concat(zeros[0], inner, zeros[1], axis=k), [0], [8], [k])
    grown = b.Concat("so_far", b.Unsqueeze(mask, [0]), axis=0)
    more = b.Identity("more")
    body = b.graph("paste", [("i", TensorProto.INT64, []), ("more", TensorProto.BOOL, []), ("so_far", TensorProto.FLOAT, ["n", 8, 8])],
                   [(more, TensorProto.BOOL, []), (grown, TensorProto.FLOAT, ["m", 8, 8])])
    return {n.Loop(count, n.const(True, "bool"), none, body=body): 3}


def until(n):
    """A loop that data end, and a loop of as many steps as data say."""
    def loop(trips, cond, kind):
        b = Net(n)
        y = b.Mul("so_far", b.const(0.75, "float32"))
        more = b.Identity("more")
        if kind == "while":
            more = b.Greater(b.ReduceMax(y, keepdims=0), b.const(1, "float32"))
        body = b.graph(kind, [("i" + kind, TensorProto.INT64, []), ("more", TensorProto.BOOL, []), ("so_far", TensorProto.FLOAT, [1, 3, 8, 8])],
                       [(more, TensorProto.BOOL, []), (y, TensorProto.FLOAT, [1, 3, 8, 8]), (b.ReduceMean(y, axes=[2, 3]), TensorProto.FLOAT, [1, 3, 1, 1])])
        return n.Loop(trips, cond, "x", body=body, outputs=2)

    first = n.Greater(n.ReduceMax("x", keepdims=0), n.const(1, "float32"))
    last, means = loop(n.const(9), first, "while")
    _, counted = loop(n.Squeeze(n.number(0, 0, 5)), n.const(True, "bool"), "for")
    return {last: 4, means: 5, counted: 5}


NETWORKS = [resize, cut, pad, repeat, paste, until]


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("-o", metavar="DIR", default=os.path.normpath(os.path.join(os.path.dirname(__file__), "../../ortcheck/testdata/sizes")))
    a = args.parse_args()
    os.makedirs(a.o, exist_ok=True)
    for make in NETWORKS:
        n = Net()
        outputs = make(n)
        inputs = [("x", TensorProto.FLOAT, [1, 3, 8, 8]), ("p", TensorProto.FLOAT, [4])]
        used = {x for p in n.nodes for x in p.input}
        graph = n.graph(make.__name__, [x for x in inputs if x[0] in used], [(x, TensorProto.FLOAT, [f"{x}_{d}" for d in range(rank)]) for x, rank in outputs.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], producer_name="sizes.py")
        model.ir_version = 8
        onnx.checker.check_model(model)
        onnx.save(model, os.path.join(a.o, make.__name__ + ".onnx"))


if __name__ == "__main__":
    main()
