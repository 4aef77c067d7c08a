#!/usr/bin/python3
"""Write a small detector as an ONNX file, docs/detector.onnx: seeded random weights.

    detector.py FILE

A convolution makes features, 1 x 16 x 16 x 16, of a picture 1 x 3 x 32 x 32. Of its 256 cells those are taken whose
score is above a bound (NonZero), of their boxes those that non-maximum suppression leaves, and of the features of
these a matrix product makes a class. Where no cell is above the bound, an If returns nothing.

Needs Debian's python3-onnx.
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

draw = np.random.RandomState(1)
nodes, weights = [], []


def put(op, inputs, outputs, **attrs):
    nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], **attrs))


def weight(name, value):
    weights.append(numpy_helper.from_array(value, name))
    return name


def normal(name, *shape):
    return weight(name, (draw.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype("float32"))


def ints(name, *values):
    return weight(name, np.array(values, "int64"))


def main():
    put("Conv", ["input", normal("w0", 16, 3, 3, 3)], ["stem"], strides=[2, 2], pads=[1, 1, 1, 1])
    put("Relu", ["stem"], ["features"])
    put("Conv", ["features", normal("w1", 1, 16, 1, 1)], ["heat"])
    put("Conv", ["features", normal("w2", 4, 16, 1, 1)], ["sizes"])
    put("Reshape", ["heat", ints("flat", -1)], ["scores"])
    put("Transpose", ["sizes"], ["moved"], perm=[0, 2, 3, 1])
    put("Reshape", ["moved", ints("fours", -1, 4)], ["deltas"])
    put("Add", ["deltas", weight("anchors", np.array([[i, j, 3, 3] for i in range(16) for j in range(16)], "float32"))], ["boxes"])
    put("Transpose", ["features"], ["last"], perm=[0, 2, 3, 1])
    put("Reshape", ["last", ints("rows", -1, 16)], ["cells"])

    put("Greater", ["scores", weight("bound", np.array(0.5, "float32"))], ["above"])
    put("NonZero", ["above"], ["where"])
    put("Squeeze", ["where", ints("first", 0)], ["candidates"])
    put("Gather", ["scores", "candidates"], ["some_scores"])
    put("Gather", ["boxes", "candidates"], ["some_boxes"])
    put("Shape", ["candidates"], ["count"])
    put("Equal", ["count", ints("none", 0)], ["no"])
    put("Squeeze", ["no"], ["is_none"])
    inner = [
        helper.make_node("Unsqueeze", ["some_boxes", "first"], ["b"]),
        helper.make_node("Unsqueeze", ["some_scores", ints("two", 0, 1)], ["s"]),
        helper.make_node("NonMaxSuppression", ["b", "s", ints("most", 100), weight("iou", np.array(0.2, "float32"))], ["triples"], name="nms", center_point_box=1),
        helper.make_node("Gather", ["triples", weight("third", np.array(2, "int64"))], ["kept"], axis=1),
    ]
    left = helper.make_graph(inner, "some", [], [helper.make_tensor_value_info("kept", TensorProto.INT64, ["n"])])
    nothing = helper.make_graph([helper.make_node("Identity", ["nobody"], ["empty"])], "none", [], [helper.make_tensor_value_info("empty", TensorProto.INT64, [0])])
    weight("nobody", np.zeros(0, "int64"))
    put("If", ["is_none"], ["keep"], then_branch=nothing, else_branch=left)
    put("Gather", ["some_boxes", "keep"], ["found"])
    put("Gather", ["candidates", "keep"], ["cell"])
    put("Gather", ["cells", "cell"], ["pooled"])
    put("Gemm", ["pooled", normal("w3", 64, 16)], ["hidden"], transB=1)
    put("Relu", ["hidden"], ["active"])
    put("Gemm", ["active", normal("w4", 10, 64)], ["logits"], transB=1)
    graph = helper.make_graph(
        nodes, "detector", [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("found", TensorProto.FLOAT, ["n", 4]), helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 10])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="detector.py")
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, sys.argv[1])


if __name__ == "__main__":
    main()
