"""Holds the operators of the runner for PyTorch against ONNX's node tests: nodes.py RUNNER.py FOLDER. Prints a line a test: ok, unsupported
or wrong, its name and why."""

import glob
import os
import sys
import tempfile

runner = {"__name__": "runner"}
with open(sys.argv[1]) as f:
    exec(compile(f.read(), sys.argv[1], "exec"), runner)

import numpy as np
import onnx
import torch
from onnx import numpy_helper

TYPES = {1, 6, 7, 9, 10, 11}  # of values that both sides have


def values(folder, kind):
    files = glob.glob(os.path.join(folder, "test_data_set_0", kind + "_*.pb"))
    for f in sorted(files, key=lambda f: int(f.split("_")[-1][:-3])):
        t = onnx.TensorProto()
        with open(f, "rb") as g:
            t.ParseFromString(g.read())
        yield numpy_helper.to_array(t)


def check(folder, temporary):
    m = onnx.load(os.path.join(folder, "model.onnx"))
    if any(n.op_type not in runner["OPERATORS"] for n in m.graph.node):
        return None
    if any(not v.type.HasField("tensor_type") or v.type.tensor_type.elem_type not in TYPES for v in list(m.graph.input) + list(m.graph.output)):
        return None
    inputs = dict(zip([i.name for i in m.graph.input], values(folder, "input")))
    for name, v in inputs.items():  # shapes, axes and bounds are constants of a kernel
        if v.dtype.kind == "i" or v.ndim == 0 or name in ("scales", "roi"):
            m.graph.initializer.append(numpy_helper.from_array(v, name))
    onnx.save(m, temporary)
    runner["noise"] = lambda i, device: torch.from_numpy(inputs[i.name].copy())
    with torch.inference_mode():
        k = runner["Model"](temporary, "cpu")
        k.run()
    for name, want in zip(k.outputs, values(folder, "output")):
        got = k.values[name].numpy()
        if got.shape != want.shape or not np.allclose(got.astype(float), want.astype(float), rtol=1e-3, atol=1e-5):
            return "wrong", "values"
    return "ok", ""


with tempfile.TemporaryDirectory() as t:
    for folder in sorted(glob.glob(os.path.join(sys.argv[2], "test_*"))):
        try:
            said = check(folder, os.path.join(t, "model.onnx"))
        except runner["Unsupported"] as e:
            said = "unsupported", str(e)
        except Exception as e:
            said = "wrong", f"{type(e).__name__}: {e}".split("\n")[0]
        if said:
            print(said[0], os.path.basename(folder), said[1])
