#!/usr/bin/python3
"""Quantise an ONNX file of a float CNN to integers of 8 bits.

    quantize.py MODEL -o FILE [--form qdq|qlinear|dynamic] [--activations uint8|int8] [--per-tensor]

Forms: QuantizeLinear and DequantizeLinear around the float operators (qdq); operators on integers, those of ONNX and of
com.microsoft (qlinear); DynamicQuantizeLinear with ConvInteger and MatMulInteger (dynamic). Scales are calibrated: of
activations by the least and the greatest value that two pictures of noise give, of weights by the greatest magnitude,
an output (symmetric int8), of a bias by both.

The file is one that torchvision's exporter writes, with batch norm folded: other operators than those of RUN stay float
in a qdq file, if they are in none of the quantised paths, and are an error of the script else.

Needs torch and onnx: Debian's python3-torch and python3-onnx.
"""
import argparse

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper


def attrs(node):
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def padded(x, pads, value=0.0):
    n = len(pads) // 2
    return F.pad(x, [p for d in reversed(range(n)) for p in (pads[d], pads[n + d])], value=value) if any(pads) else x


def conv(a, x, w, b=None):
    return F.conv2d(padded(x, a.get("pads", [0] * 4)), w, b, a.get("strides", 1), 0, a.get("dilations", 1), a.get("group", 1))


def max_pool(a, x):
    return F.max_pool2d(padded(x, a.get("pads", [0] * 4), float("-inf")), a["kernel_shape"], a.get("strides", 1), ceil_mode=bool(a.get("ceil_mode", 0)))


def average_pool(a, x):
    return F.avg_pool2d(x, a["kernel_shape"], a.get("strides", 1), a.get("pads", [0, 0])[:2], bool(a.get("ceil_mode", 0)), bool(a.get("count_include_pad", 0)))


def gemm(a, x, w, b=None):
    y = a.get("alpha", 1) * (x.t() if a.get("transA") else x) @ (w.t() if a.get("transB") else w)
    return y if b is None else y + a.get("beta", 1) * b


RUN = {
    "Conv": conv, "Gemm": gemm, "MatMul": lambda a, x, w: x @ w, "MaxPool": max_pool, "AveragePool": average_pool,
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True), "Relu": lambda a, x: x.relu(),
    "Clip": lambda a, x, lo=None, hi=None: x.clamp(None if lo is None else lo.item(), None if hi is None else hi.item()),
    "Add": lambda a, x, y: x + y, "Mul": lambda a, x, y: x * y, "Sigmoid": lambda a, x: x.sigmoid(),
    "HardSigmoid": lambda a, x: (a.get("alpha", 0.2) * x + a.get("beta", 0.5)).clamp(0, 1), "HardSwish": lambda a, x: F.hardswish(x),
    "Concat": lambda a, *x: torch.cat(x, a["axis"]), "Flatten": lambda a, x: x.flatten(a.get("axis", 1)),
    "Reshape": lambda a, x, s: x.reshape([x.shape[i] if d == 0 else d for i, d in enumerate(s.tolist())]),
    "Transpose": lambda a, x: x.permute(a["perm"]), "Dropout": lambda a, x: x, "Identity": lambda a, x: x,
    "ReduceMean": lambda a, x: x.mean(a["axes"], keepdim=bool(a.get("keepdims", 1))),
    "Softmax": lambda a, x: x.softmax(a.get("axis", -1)),
}
MOVES = {"MaxPool", "Flatten", "Reshape", "Transpose", "Dropout", "Identity"}  # have the scale of their operand
PRODUCTS = {"Conv", "Gemm", "MatMul"}
LINEAR = {"Add", "Mul", "Sigmoid", "GlobalAveragePool", "AveragePool"}  # com.microsoft has QLinear of them
QUANTISED = PRODUCTS | LINEAR | {"Concat", "HardSigmoid", "HardSwish", "ReduceMean"}


class Quantizer:
    def __init__(self, model, form, activations, per_tensor):
        self.g, self.form, self.per_tensor = model.graph, form, per_tensor
        self.low, self.high, self.dtype = (0, 255, np.uint8) if activations == "uint8" else (-128, 127, np.int8)
        self.weights = {w.name: numpy_helper.to_array(w) for w in self.g.initializer}
        for n in self.g.node:
            if n.op_type == "Constant":
                self.weights[n.output[0]] = numpy_helper.to_array(attrs(n)["value"])
        self.users = {}
        for n in self.g.node:
            for x in n.input:
                self.users.setdefault(x, []).append(n)
        self.results = {o.name for o in self.g.output}
        self.nodes, self.inits, self.codes, self.ranges = [], {}, {}, {}

    def const(self, name, value):
        self.inits.setdefault(name, numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, op, inputs, outputs, domain="", **kw):
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0] + "_node", domain=domain, **kw))
        return outputs[0]

    def calibrate(self):
        """The range of every value."""
        shape = [d.dim_value or 1 for d in self.g.input[0].type.tensor_type.shape.dim]
        torch.manual_seed(0)
        for _ in range(2):
            env = {k: torch.from_numpy(v.copy()) for k, v in self.weights.items()}
            env[self.g.input[0].name] = torch.randn(shape)
            for n in self.g.node:
                if n.op_type == "Constant":
                    continue
                with torch.no_grad():
                    env[n.output[0]] = RUN[n.op_type](attrs(n), *[env[x] if x else None for x in n.input])
            for k, v in env.items():
                if k not in self.weights and v.is_floating_point():
                    lo, hi = self.ranges.get(k, (0.0, 0.0))
                    self.ranges[k] = (min(lo, v.min().item()), max(hi, v.max().item()))

    def scale(self, value):
        """Scale and zero point of an activation."""
        lo, hi = self.ranges[value]
        s = np.float32(max(hi - lo, 1e-8) / 255)
        z = int(np.clip(round(self.low - lo / s), self.low, self.high))
        return self.const(value + "_scale", s), self.const(value + "_zero", np.array(z, self.dtype))

    def weight(self, name, axis, scale_of_x):
        """Integers, scale and zero point of weights; axis is that of the outputs."""
        w = self.weights[name]
        rest = tuple(i for i in range(w.ndim) if i != axis)
        most = np.abs(w).max() if self.per_tensor or self.form == "dynamic" else np.abs(w).max(rest)
        s = np.maximum(most, 1e-8).astype(np.float32) / np.float32(127)
        along = s.reshape([-1 if i == axis else 1 for i in range(w.ndim)]) if s.ndim else s
        q = np.clip(np.rint(w / along), -127, 127).astype(np.int8)
        return self.const(name + "_q", q), self.const(name + "_scale", s), self.const(name + "_zero", np.zeros(s.shape, np.int8)), s

    def bias(self, name, xs, ws):
        unit = numpy_helper.to_array(self.inits[xs]) * ws
        q = np.clip(np.rint(self.weights[name].astype(np.float64) / unit), -(2**31), 2**31 - 1).astype(np.int32)
        return self.const(name + "_q", q), self.const(name + "_scale", np.broadcast_to(unit, q.shape).astype(np.float32)), self.const(name + "_bias_zero", np.zeros(q.shape, np.int32))

    def clipped(self, n):
        """The value behind the clips of a node's value that nobody else reads."""
        y, skipped = n.output[0], []
        while y not in self.results and len(self.users.get(y, [])) == 1 and self.users[y][0].op_type in ("Relu", "Clip"):
            skipped.append(self.users[y][0])
            y = skipped[-1].output[0]
        return y, skipped

    def code(self, x):
        """The integers of a value, made where they are first wanted."""
        if x not in self.codes:
            s, z = self.scale(x)
            self.codes[x] = (self.node("QuantizeLinear", [x, s, z], [x + "_q"]), s, z)
        return self.codes[x]

    def real(self, x):
        """The float value of integers."""
        name = x + "_dq"
        if not any(name in n.output for n in self.nodes):
            self.node("DequantizeLinear", list(self.codes[x]), [name])
        return name

    def build(self):
        done = set()
        for n in self.g.node:
            if n.op_type == "Constant" or n.output[0] in done:
                continue
            if self.form == "dynamic":
                self.dynamic(n)
                continue
            data = [x for x in n.input if x and x not in self.weights]
            if n.op_type in MOVES and data and data[0] in self.codes:
                self.move(n, data[0])
                continue
            if n.op_type not in QUANTISED or any(x in self.weights for x in n.input[:2]) and n.op_type not in PRODUCTS:
                for x in data:
                    if x in self.codes:
                        self.float(x)
                self.nodes.append(n)
                continue
            y, skipped = self.clipped(n)
            done.update(s.output[0] for s in skipped)
            (self.linear if self.form == "qlinear" else self.qdq)(n, data, y, skipped)
        for o in self.g.output:
            if o.name in self.codes:
                self.float(o.name)
        floats = {x for n in self.nodes for x in n.input if x in self.weights}
        for x in floats:
            self.const(x, self.weights[x])

    def float(self, x):
        """Makes the float value of integers under its own name."""
        if not any(x in n.output for n in self.nodes) and x != self.g.input[0].name:
            self.node("DequantizeLinear", list(self.codes[x]), [x])

    def move(self, n, x):
        y = n.output[0]
        q, s, z = self.codes[x]
        rest = list(n.input)[1:]
        if self.form == "qlinear":
            self.node(n.op_type, [q] + rest, [y + "_q"], **attrs(n))
        else:
            self.node(n.op_type, [self.real(x)] + rest, [y + "_float"], **attrs(n))
            self.node("QuantizeLinear", [y + "_float", s, z], [y + "_q"])
        self.codes[y] = (y + "_q", s, z)

    def axis(self, n):
        return 0 if n.op_type == "Conv" or attrs(n).get("transB") else self.weights[n.input[1]].ndim - 1

    def qdq(self, n, data, y, skipped):
        inputs, kw = [], attrs(n)
        for i, x in enumerate(n.input):
            if x in data:
                self.code(x)
                inputs.append(self.real(x))
            elif i == 1:
                xs = self.codes[data[0]][1]
                q, s, z, ws = self.weight(x, self.axis(n), xs)
                inputs.append(self.node("DequantizeLinear", [q, s, z], [x + "_dq"], axis=self.axis(n)))
            else:
                q, s, z = self.bias(x, xs, ws)
                inputs.append(self.node("DequantizeLinear", [q, s, z], [x + "_dq"], axis=0))
        v = self.node(n.op_type, inputs, [n.output[0] + "_float"], **kw)
        for k in skipped:
            v = self.node(k.op_type, [v] + list(k.input)[1:], [k.output[0] + "_float"], **attrs(k))
        s, z = self.scale(y)
        self.codes[y] = (self.node("QuantizeLinear", [v, s, z], [y + "_q"]), s, z)

    def linear(self, n, data, y, skipped):
        """An operator on integers. The scale of its value is that behind clips, which saturation then does."""
        for x in data:
            self.code(x)
        kw, out = attrs(n), list(self.scale(y))
        self.codes[y] = (y + "_q", *out)
        if n.op_type in PRODUCTS:
            x = list(self.codes[data[0]])
            q, s, z, ws = self.weight(n.input[1], self.axis(n), x[1])
            b = [self.bias(n.input[2], x[1], ws)[0]] if len(n.input) > 2 else []
            if n.op_type == "Gemm":
                kw.pop("beta", None)
                self.node("QGemm", x + [q, s, z] + (b or [""]) + out, [y + "_q"], "com.microsoft", **kw)
            else:
                self.node("QLinear" + n.op_type, x + [q, s, z] + out + b, [y + "_q"], **kw)
        elif n.op_type == "Concat":
            self.node("QLinearConcat", out + [v for x in n.input for v in self.codes[x]], [y + "_q"], "com.microsoft", **kw)
        elif n.op_type in LINEAR:
            self.node("QLinear" + n.op_type, [v for x in data for v in self.codes[x]] + out, [y + "_q"], "com.microsoft", **kw)
        else:
            v = self.node(n.op_type, [self.real(x) for x in data], [y + "_float"], **kw)
            self.node("QuantizeLinear", [v] + out, [y + "_q"])

    def dynamic(self, n):
        if n.op_type not in ("Conv", "MatMul") and not (n.op_type == "Gemm" and attrs(n).get("transB")):
            self.nodes.append(n)
            return
        x, y, kw = n.input[0], n.output[0], attrs(n)
        if x + "_q" not in self.codes:
            self.codes[x + "_q"] = True
            self.node("DynamicQuantizeLinear", [x], [x + "_q", x + "_scale", x + "_zero"])
        w = n.input[1]
        q, s, z, _ = self.weight(w, self.axis(n), None)
        both = self.node("Mul", [x + "_scale", s], [y + "_factor"])
        if n.op_type == "Conv":
            sums = self.node("ConvInteger", [x + "_q", q, x + "_zero", z], [y + "_sums"], **kw)
        else:
            if n.op_type == "Gemm":
                turned = numpy_helper.to_array(self.inits[q]).T.copy()
                q = self.const(w + "_turned", turned)
            sums = self.node("MatMulInteger", [x + "_q", q, x + "_zero", z], [y + "_sums"])
        cast = self.node("Cast", [sums], [y + "_cast"], to=TensorProto.FLOAT)
        bias = len(n.input) > 2
        v = self.node("Mul", [cast, both], [y + "_scaled" if bias else y])
        if bias:
            b = self.weights[n.input[2]]
            self.node("Add", [v, self.const(n.input[2] + "_at", b.reshape([1, -1, 1, 1]) if n.op_type == "Conv" else b)], [y])


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("model")
    p.add_argument("-o", dest="out", required=True)
    p.add_argument("--form", choices=["qdq", "qlinear", "dynamic"], default="qdq")
    p.add_argument("--activations", choices=["uint8", "int8"], default="uint8")
    p.add_argument("--per-tensor", action="store_true")
    a = p.parse_args()
    model = onnx.load(a.model)
    q = Quantizer(model, a.form, a.activations, a.per_tensor)
    if a.form != "dynamic":
        q.calibrate()
    q.build()
    initial = {i.name for i in model.graph.initializer}
    g = helper.make_graph(q.nodes, model.graph.name, [i for i in model.graph.input if i.name not in initial], list(model.graph.output), list(q.inits.values()))
    out = helper.make_model(g, opset_imports=[helper.make_opsetid("", max(13, next(o.version for o in model.opset_import if o.domain == ""))), helper.make_opsetid("com.microsoft", 1)], producer_name="quantize.py")
    out.ir_version = min(out.ir_version, 8)
    onnx.save(out, a.out)


if __name__ == "__main__":
    main()
