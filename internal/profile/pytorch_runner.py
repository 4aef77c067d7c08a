"""Measures ONNX models with PyTorch, on CUDA or a CPU.

"pimflow profile --with torch" runs this text with a Python that has torch and onnx, and speaks to it by the protocol of
package profile: paths of files go in, a line each; times come out, a line of JSON each.

On CUDA a time is that of runs one after the other between two events, over their number: each run launched by itself
into a stream, or all of them recorded in a CUDA graph that is launched as one. Values are on the device before, and stay
there.
"""

import argparse
import json
import math
import platform
import subprocess
import sys
import time

sys.path = [p for p in sys.path if p]  # a file torch.py of the folder that this runs in is not the module


def missing(what):
    sys.exit(f"torch: this Python has no module {what}: pip install torch onnx, or name with --runner a Python that has them")


try:
    import torch
except ImportError:
    missing("torch")
try:
    import onnx
    from onnx import numpy_helper
except ImportError:
    missing("onnx")

F = torch.nn.functional

# Runs between two events of CUDA, so that what an event takes is small beside them. Estimated.
TOGETHER = 20

# Work beside which the clock is read, in ns. Estimated: nvidia-smi takes less.
WORK = 2e8


class Unsupported(Exception):
    """The model has something that PyTorch is not asked for here."""


def ints(x):
    if x is None:
        raise Unsupported("a shape or an axis that is no constant")
    return [int(v) for v in x.reshape(-1)]


def pairs(pads):
    """ONNX's begins and ends as F.pad has them: the last dimension first."""
    n = len(pads) // 2
    return [p for d in reversed(range(n)) for p in (pads[d], pads[n + d])]


def even(a, dims):
    """Padding that is the same before and after, and what is left, for F.pad."""
    if a.get("auto_pad", b"NOTSET") != b"NOTSET":
        raise Unsupported("auto_pad")
    pads = list(a.get("pads", [0] * (2 * dims)))
    if pads[:dims] == pads[dims:]:
        return pads[:dims], None
    return [0] * dims, pairs(pads)


def conv(a, c, x):
    dims = x[1].dim() - 2
    padding, rest = even(a, dims)
    f = (F.conv1d, F.conv2d, F.conv3d)[dims - 1]
    k = dict(stride=a.get("strides", 1), padding=padding, dilation=a.get("dilations", 1), groups=a.get("group", 1))
    if rest is None:
        return lambda v, w, b=None: f(v, w, b, **k)
    return lambda v, w, b=None: f(F.pad(v, rest), w, b, **k)


def transposed(a, c, x):
    if "output_shape" in a:
        raise Unsupported("an output_shape")
    dims = x[1].dim() - 2
    padding, rest = even(a, dims)
    if rest is not None:
        raise Unsupported("a transposed convolution with other padding before than after")
    f = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[dims - 1]
    k = dict(stride=a.get("strides", 1), padding=padding, output_padding=a.get("output_padding", 0), dilation=a.get("dilations", 1), groups=a.get("group", 1))
    return lambda v, w, b=None: f(v, w, b, **k)


def pool(largest):
    def make(a, c, x):
        dims = x[0].dim() - 2
        padding, rest = even(a, dims)
        size, stride = a["kernel_shape"], a.get("strides", [1] * dims)
        dilation, ceil = a.get("dilations", [1] * dims), bool(a.get("ceil_mode", 0))
        if ceil and (rest is not None or any(padding)):
            raise Unsupported("a pooling with ceil_mode and padding")
        if largest:
            f = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[dims - 1]
            if rest is None and all(2 * p <= k for p, k in zip(padding, size)):
                return lambda v: f(v, size, stride, padding, dilation, ceil)
            rest = rest or pairs(padding * 2)
            return lambda v: f(F.pad(v, rest, value=-math.inf), size, stride, 0, dilation, ceil)
        if any(d != 1 for d in dilation):
            raise Unsupported("a mean of places that are apart")
        f = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[dims - 1]
        counted = bool(a.get("count_include_pad", 0))
        if rest is None and all(2 * p <= k for p, k in zip(padding, size)):
            return lambda v: f(v, size, stride, padding, ceil, counted)
        if not counted:
            raise Unsupported("a mean with other padding before than after")
        rest = rest or pairs(padding * 2)
        return lambda v: f(F.pad(v, rest), size, stride, 0, ceil)
    return make


def whole(f):
    """A reduction of all dimensions but images and channels."""
    return lambda a, c, x: (lambda v: f(v, list(range(2, v.dim()))))


def reduced(f):
    def make(a, c, x):
        axes = a.get("axes") or (ints(c[1]) if len(c) > 1 else None)
        keep = bool(a.get("keepdims", 1))
        if not axes:
            if a.get("noop_with_empty_axes", 0):
                return lambda v, *_: v
            axes = list(range(x[0].dim()))
        return lambda v, *_: f(v, axes, keep)
    return make


def gemm(a, c, x):
    alpha, beta, ta, tb = a.get("alpha", 1.0), a.get("beta", 1.0), a.get("transA", 0), a.get("transB", 0)

    def f(v, w, b=None):
        v, w = v.t() if ta else v, w.t() if tb else w
        if b is None:
            y = torch.mm(v, w)
            return y if alpha == 1 else y * alpha
        return torch.addmm(b, v, w, beta=beta, alpha=alpha)
    return f


def clip(a, c, x):
    def bound(i, name, default):
        if len(c) > i and x[i] is not None:
            if c[i] is None:
                raise Unsupported("a bound that is no constant")
            return float(c[i])
        return a.get(name, default)
    lo, hi = bound(1, "min", -math.inf), bound(2, "max", math.inf)
    return lambda v, *_: torch.clamp(v, lo, hi)


def normalized(a, c, x):
    eps = a.get("epsilon", 1e-5)
    return lambda v, s, b, m, r: F.batch_norm(v, m, r, s, b, False, 0.0, eps)


def layer_norm(a, c, x):
    axis, eps = a.get("axis", -1), a.get("epsilon", 1e-5)
    shape = list(x[0].shape)[axis:]
    return lambda v, s, b=None: F.layer_norm(v, shape, s, b, eps)


def soft(f):
    return lambda a, c, x: (lambda v: f(v, a.get("axis", -1)))


def sliced(a, c, x):
    shape = list(x[0].shape)
    starts, ends = ints(c[1]), ints(c[2])
    axes = ints(c[3]) if len(c) > 3 and x[3] is not None else list(range(len(starts)))
    steps = ints(c[4]) if len(c) > 4 and x[4] is not None else [1] * len(starts)
    if min(steps) < 1:
        raise Unsupported("a slice backwards")
    at = [slice(None)] * len(shape)
    for s, e, d, n in zip(starts, ends, axes, steps):
        at[d] = slice(s, min(e, shape[d]), n)
    at = tuple(at)
    return lambda v, *_: v[at].contiguous()


def reshaped(a, c, x):
    to = ints(c[1])
    if not a.get("allowzero", 0):
        to = [x[0].shape[i] if n == 0 else n for i, n in enumerate(to)]
    return lambda v, *_: v.reshape(to)


def flat(a, c, x):
    axis = a.get("axis", 1)
    rows = math.prod(x[0].shape[:axis])
    return lambda v: v.reshape(rows, -1)


def padded(a, c, x):
    pads = list(a["pads"]) if "pads" in a else ints(c[1])
    if a.get("mode", b"constant") != b"constant" or len(c) > 3:
        raise Unsupported("a padding that is no constant")
    value = a.get("value", 0.0)
    if len(c) > 2 and x[2] is not None:
        value = float(c[2])
    pads = pairs(pads)
    return lambda v, *_: F.pad(v, pads, value=value)


def gathered(a, c, x):
    axis, shape, size = a.get("axis", 0), list(x[1].shape), x[0].shape[a.get("axis", 0)]
    axis %= x[0].dim()

    def f(v, i):
        i = torch.where(i < 0, i + size, i).reshape(-1)
        return torch.index_select(v, axis, i).reshape(list(v.shape[:axis]) + shape + list(v.shape[axis + 1:]))
    return f


def split(a, c, x):
    axis = a.get("axis", 0)
    if "split" in a:
        sizes = list(a["split"])
    elif len(c) > 1 and x[1] is not None:
        sizes = ints(c[1])
    else:
        raise Unsupported("a split without sizes")
    return lambda v, *_: tuple(p.contiguous() for p in torch.split(v, sizes, axis))


def resized(a, c, x):
    how = a.get("coordinate_transformation_mode", b"half_pixel")
    mode = a.get("mode", b"nearest")
    if x[0].dim() != 4 or len(c) > 4 or (mode, how) not in ((b"nearest", b"asymmetric"), (b"linear", b"half_pixel"), (b"linear", b"pytorch_half_pixel"), (b"linear", b"align_corners")) or \
            mode == b"nearest" and a.get("nearest_mode", b"round_prefer_floor") != b"floor" or "axes" in a or a.get("antialias", 0):
        raise Unsupported(f"a Resize in mode {mode.decode()}, {how.decode()}")
    if len(c) > 3 and x[3] is not None:
        to = ints(c[3])
    else:
        exact = [n * float(s) for n, s in zip(x[0].shape, c[2])]
        to = [int(n) for n in exact]
        if to != exact:  # then PyTorch takes other places
            raise Unsupported("a Resize to no whole number of rows or columns")
    if to[:2] != list(x[0].shape[:2]) or how == b"pytorch_half_pixel" and 1 in to[2:]:
        raise Unsupported("a Resize of channels, or to a single row or column")
    corners = how == b"align_corners" if mode == b"linear" else None
    m = "bilinear" if mode == b"linear" else "nearest"
    return lambda v, *_: F.interpolate(v, size=to[2:], mode=m, align_corners=corners)


def plain(f):
    return lambda a, c, x: f


def several(f):
    """An element-wise operator of any number of inputs."""
    def g(*v):
        y = v[0]
        for w in v[1:]:
            y = f(y, w)
        return y
    return plain(g)


def cast(a, c, x):
    to = {1: torch.float32, 10: torch.float16, 11: torch.float64, 16: torch.bfloat16, 6: torch.int32, 7: torch.int64, 9: torch.bool}.get(a["to"])
    if to is None:
        raise Unsupported(f"a Cast to type {a['to']}")
    return lambda v: v.to(to)


def cut(a, c, x):
    """Division as ONNX has it: integers towards 0."""
    if x[0].is_floating_point():
        return torch.div
    return lambda v, w: torch.div(v, w, rounding_mode="trunc")


def gelu(a, c, x):
    if a.get("approximate", b"none") == b"tanh":
        return lambda v: F.gelu(v, approximate="tanh")
    return F.gelu


# Each operator: from attributes, constant inputs (None for others) and sample inputs to a function of the inputs.
OPERATORS = {
    "Conv": conv, "ConvTranspose": transposed, "MaxPool": pool(True), "AveragePool": pool(False),
    "GlobalAveragePool": whole(lambda v, d: v.mean(d, True)), "GlobalMaxPool": whole(lambda v, d: v.amax(d, True)),
    "Gemm": gemm, "MatMul": plain(torch.matmul), "BatchNormalization": normalized, "LayerNormalization": layer_norm,
    "InstanceNormalization": lambda a, c, x: (lambda v, s, b: F.instance_norm(v, None, None, s, b, True, 0.0, a.get("epsilon", 1e-5))),
    "Softmax": soft(F.softmax), "LogSoftmax": soft(F.log_softmax),
    "Add": plain(torch.add), "Sub": plain(torch.sub), "Mul": plain(torch.mul), "Div": cut, "Pow": plain(torch.pow),
    "Max": several(torch.maximum), "Min": several(torch.minimum), "Sum": several(torch.add),
    "Relu": plain(F.relu), "Clip": clip, "Sigmoid": plain(torch.sigmoid), "Tanh": plain(torch.tanh), "Erf": plain(torch.erf), "Gelu": gelu,
    "HardSigmoid": lambda a, c, x: (lambda v: torch.clamp(v * a.get("alpha", 0.2) + a.get("beta", 0.5), 0, 1)),
    "HardSwish": plain(F.hardswish), "Softplus": plain(F.softplus), "Mish": plain(F.mish),
    "LeakyRelu": lambda a, c, x: (lambda v: F.leaky_relu(v, a.get("alpha", 0.01))),
    "Elu": lambda a, c, x: (lambda v: F.elu(v, a.get("alpha", 1.0))),
    "PRelu": lambda a, c, x: (lambda v, s: torch.where(v < 0, v * s, v)),
    "Exp": plain(torch.exp), "Log": plain(torch.log), "Sqrt": plain(torch.sqrt), "Reciprocal": plain(torch.reciprocal), "Abs": plain(torch.abs),
    "Neg": plain(torch.neg), "Floor": plain(torch.floor), "Ceil": plain(torch.ceil), "Identity": plain(torch.clone), "Where": plain(torch.where),
    "ReduceMean": reduced(lambda v, d, k: v.mean(d, k)), "ReduceSum": reduced(lambda v, d, k: v.sum(d, k)),
    "ReduceMax": reduced(lambda v, d, k: v.amax(d, k)), "ReduceMin": reduced(lambda v, d, k: v.amin(d, k)),
    "ReduceL2": reduced(lambda v, d, k: torch.linalg.vector_norm(v, 2, d, k)),
    "Concat": lambda a, c, x: (lambda *v: torch.cat(v, a["axis"])), "Slice": sliced, "Split": split, "Pad": padded, "Gather": gathered,
    "Transpose": lambda a, c, x: (lambda v: v.permute(a.get("perm", list(reversed(range(v.dim()))))).contiguous()),
    "Reshape": reshaped, "Flatten": flat, "Resize": resized, "Cast": cast,
}

TYPES = {1: torch.float32, 10: torch.float16, 11: torch.float64, 16: torch.bfloat16, 2: torch.uint8, 3: torch.int8, 6: torch.int32, 7: torch.int64, 9: torch.bool}


class Model:
    """A model on a device: run executes it once, and leaves its values there."""

    def __init__(self, file, device):
        m = onnx.load(file)
        self.device, self.values, known = device, {}, {}
        for t in m.graph.initializer:
            known[t.name] = numpy_helper.to_array(t)
            if t.data_type not in TYPES or t.data_type == onnx.TensorProto.BFLOAT16:
                raise Unsupported(f"a constant of type {t.data_type}")
            self.values[t.name] = torch.from_numpy(known[t.name].copy()).to(device)
        self.inputs = [i for i in m.graph.input if i.name not in known]
        self.outputs = [o.name for o in m.graph.output]
        for i in self.inputs:
            self.values[i.name] = noise(i, device)
        self.steps = []
        for n in m.graph.node:
            make = OPERATORS.get(n.op_type)
            if make is None or n.domain not in ("", "ai.onnx"):
                raise Unsupported(f"operator {n.op_type}")
            x = [self.values[i] if i else None for i in n.input]
            a = {t.name: onnx.helper.get_attribute_value(t) for t in n.attribute}
            f = make(a, [known.get(i) for i in n.input], x)
            self.steps.append((f, list(n.input), list(n.output)))
            self.step(*self.steps[-1])

    def step(self, f, ins, outs):
        y = f(*[self.values[i] if i else None for i in ins])
        if not isinstance(y, tuple):
            y = (y,)
        if len(y) != len(outs):
            raise Unsupported(f"{len(outs)} outputs")
        for name, v in zip(outs, y):
            self.values[name] = v

    def run(self):
        for s in self.steps:
            self.step(*s)


def noise(i, device):
    """Seeded values of an input; integers are 0, since they may be indices."""
    t = i.type.tensor_type
    shape, kind = [d.dim_value for d in t.shape.dim], TYPES.get(t.elem_type)
    if kind is None:
        raise Unsupported(f"an input of type {t.elem_type}")
    if not kind.is_floating_point:
        return torch.zeros(shape, dtype=kind, device=device)
    return torch.randn(shape, generator=torch.Generator().manual_seed(2023)).to(kind).to(device)


def quartiles(v):
    v = sorted(v)

    def at(q):
        p = q * (len(v) - 1)
        i = int(p)
        return v[i] if i + 1 == len(v) else v[i] + (p - i) * (v[i + 1] - v[i])
    return at(0.25), at(0.5), at(0.75)


def clock():
    """The clock of the GPU's processors now and at most, in MHz; None where nvidia-smi does not say."""
    try:
        text = subprocess.run(["nvidia-smi", "--query-gpu=clocks.sm,clocks.max.sm", "--format=csv,noheader,nounits", "--id=0"],
                              capture_output=True, text=True, timeout=10).stdout
        now, most = text.splitlines()[0].split(",")
        return float(now), float(most)
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None


class Bench:
    def __init__(self, a):
        self.warm, self.repeats = a.warm_up, a.repeats
        if a.device == "cuda" and not torch.cuda.is_available():
            sys.exit("torch: --device cuda: PyTorch finds no CUDA device: cpu wanted, or auto")
        self.cuda = a.device == "cuda" or a.device == "auto" and torch.cuda.is_available()
        self.graph = self.cuda and a.launch == "graph"

    def hello(self):
        on = f"PyTorch {torch.__version__}, "
        if self.cuda:
            on += f"{torch.cuda.get_device_name(0)}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}, " + ("CUDA graph" if self.graph else "stream")
            most = clock()
            if most:
                on += f", SM clock at most {most[1]:.0f} MHz"
        else:
            on += f"{processor()}, {torch.get_num_threads()} threads, float32"
        return {"protocol": "pimflow.runner/1", "device": "cuda" if self.cuda else "cpu", "on": on}

    def measure(self, file):
        with torch.inference_mode():
            m = Model(file, "cuda" if self.cuda else "cpu")
            times, mhz = self.on_cuda(m) if self.cuda else self.on_cpu(m)
        low, median, high = quartiles(times)
        a = {"median_ns": median, "spread_ns": high - low, "repeats": len(times)}
        if mhz:
            a["clock_mhz"] = mhz
        return a

    def on_cpu(self, m):
        times = []
        for i in range(self.warm + self.repeats):
            begin = time.perf_counter_ns()
            m.run()
            if i >= self.warm:
                times.append(time.perf_counter_ns() - begin)
        return times, None

    def on_cuda(self, m):
        torch.backends.cudnn.benchmark = True  # the fastest of cuDNN's algorithms, found while warming up
        torch.cuda.synchronize()  # the inputs are there
        side = torch.cuda.Stream()
        with torch.cuda.stream(side):
            for _ in range(max(1, self.warm)):
                m.run()
            side.synchronize()

            def run():
                for _ in range(TOGETHER):
                    m.run()
            if self.graph:
                g = torch.cuda.CUDAGraph()
                with torch.cuda.graph(g, stream=side):
                    run()
                run = g.replay
                run()
            times = []
            for _ in range(self.repeats):
                begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
                begin.record(side)
                run()
                end.record(side)
                end.synchronize()
                times.append(begin.elapsed_time(end) * 1e6 / TOGETHER)
            for _ in range(min(1000, 1 + int(WORK / (TOGETHER * quartiles(times)[1])))):
                run()
            now = clock()  # while that works
            side.synchronize()
        return times, now[0] if now else None


def processor():
    try:
        with open("/proc/cpuinfo") as f:
            for line in f:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass  # elsewhere there is none
    return platform.processor() or platform.machine()


def main():
    p = argparse.ArgumentParser(prog="torch")
    p.add_argument("--repeats", type=int, default=30)
    p.add_argument("--warm-up", type=int, default=5)
    p.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    p.add_argument("--launch", choices=("graph", "stream"), default="graph")
    b = Bench(p.parse_args())
    print(json.dumps(b.hello()), flush=True)
    for line in sys.stdin:
        try:
            a = b.measure(line.rstrip("\n"))
        except Unsupported as e:
            a = {"error": str(e), "unsupported": True}
        except Exception as e:  # such as no memory
            a = {"error": f"{type(e).__name__}: {e}".split("\n")[0], "unsupported": "not implemented" in str(e)}
        print(json.dumps(a), flush=True)


if __name__ == "__main__":
    main()
