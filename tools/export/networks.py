#!/usr/bin/python3
"""Export networks of torchvision as ONNX files, with seeded random weights.

    networks.py [-o DIR] [--opset N] [--size PX] [--scaled PX] [--batch N] [NAME...]

NAME is a constructor of torchvision.models, .detection or .segmentation; --list prints the default ones,
--list-all all.
A detector takes one picture, 3 x PX x PX, and returns boxes, labels, scores and what else it has, as masks of the
picture.

The networks are not trained, but their values spread as those of trained ones do: batch norm has the
statistics of noise, and the logits of a detector have a deviation of 3 or 1, so that it finds some boxes and
leaves others.

Needs torch, torchvision and onnx: Debian's python3-torch, python3-torchvision and python3-onnx.
"""
import argparse
import os
import re
import warnings

import torch
from torchvision import models

NAMES = {  # and the side of the picture
    "ssdlite320_mobilenet_v3_large": 320,
    "retinanet_resnet50_fpn": 320,
    "fasterrcnn_mobilenet_v3_large_320_fpn": 320,
    "fasterrcnn_resnet50_fpn": 320,
    "maskrcnn_resnet50_fpn": 320,
    "deeplabv3_mobilenet_v3_large": 224,
    "fcn_resnet50": 224,
    "lraspp_mobilenet_v3_large": 224,
    "swin_t": 224,
    "maxvit_t": 224,
    "vit_b_16": 224,
    "convnext_tiny": 224,
}
LOGITS = re.compile(r"(cls_score|cls_logits|classification_head\.module_list\.\d+\.1)$")
DEVIATION = 3  # of logits that are compared with each other
ALONE = 1  # of logits that are scores by themselves, beside a bias of -4.6
RESIDUAL = 0.25  # weight of a residual block's last batch norm, estimated: at 1, PyTorch's start, roundings grow through 50 layers to 1e-4


class Main(torch.nn.Module):
    """A segmentation network returns a dict: its main output."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)["out"]


def build(name, scaled):
    """Return the network, and whether it is a detector."""
    torch.manual_seed(0)
    for kind in (models, models.detection, models.segmentation):
        if hasattr(kind, name):
            break
    else:
        raise SystemExit(f"{name}: torchvision has no such network")
    args = {"weights": None}
    if kind is not models:
        args["weights_backbone"] = None
    if name in ("googlenet", "inception_v3"):
        args.update(aux_logits=False, init_weights=False)
    if scaled and kind is models.detection and not name.startswith("ssd"):
        args.update(min_size=scaled, max_size=scaled)
    net = getattr(kind, name)(**args).eval()
    return (Main(net) if kind is models.segmentation else net), kind is models.detection


def spread(net, pictures, alone):
    """Give residual blocks a small weight, batch norm the statistics of the pictures, then logits their deviation."""
    norms = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for m in norms:
        m.reset_running_stats()
        m.momentum = None  # the mean of all pictures
        m.train()
    with torch.no_grad():
        for m in net.modules():
            if isinstance(m, models.resnet.Bottleneck):
                m.bn3.weight.fill_(RESIDUAL)
            elif isinstance(m, models.resnet.BasicBlock):
                m.bn2.weight.fill_(RESIDUAL)
            elif isinstance(m, torch.nn.Linear) and not m.weight.any():  # the head of a transformer
                m.weight.normal_(std=0.02)
        if norms:
            net(pictures)
        net.eval()
        last = [m for where, m in net.named_modules() if LOGITS.search(where)]
        seen = {}

        def see(m, _, y):
            seen.setdefault(m, y.std())

        hooks = [m.register_forward_hook(see) for m in last]
        if last:
            net(pictures)
        for h in hooks:
            h.remove()
        for m, std in seen.items():
            m.weight.mul_((ALONE if alone else DEVIATION) / std)


def write(net, x, path, opset):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    torch.onnx.export(net, (x,), path, opset_version=opset, input_names=["input"])
    print(path, os.path.getsize(path), flush=True)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("names", nargs="*", metavar="NAME", default=list(NAMES))
    args.add_argument("-o", metavar="DIR", default=".")
    args.add_argument("--opset", type=int, default=16)
    args.add_argument("--size", type=int, default=0, metavar="PX")
    args.add_argument("--scaled", type=int, default=0, metavar="PX", help="side that a detector scales its pictures to; 800 mostly")
    args.add_argument("--batch", type=int, default=1, metavar="N", help="of networks that are no detectors")
    args.add_argument("--list", action="store_true")
    args.add_argument("--list-all", action="store_true", help="all of torchvision's classifiers, detectors and segmenters")
    a = args.parse_args()
    if a.list_all:
        print("\n".join(n for kind in (models, models.detection, models.segmentation) for n in models.list_models(module=kind)))
        return
    if a.list:
        print("\n".join(NAMES))
        return
    warnings.filterwarnings("ignore")
    for name in a.names:
        net, detector = build(name, a.scaled)
        px = a.size or NAMES.get(name, 224)
        noise = torch.randn(2, 3, px, px, generator=torch.Generator().manual_seed(2))
        spread(net, list(noise) if detector else noise, name.startswith(("retinanet", "fcos")))
        x = [noise[0]] if detector else noise[:1].repeat(a.batch, 1, 1, 1)
        write(net, x, os.path.join(a.o, name + ".onnx"), a.opset)


if __name__ == "__main__":
    main()
