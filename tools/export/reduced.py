#!/usr/bin/python3
"""Export one network of each family of torchvision with few channels, as ONNX files of less than 1 MB.

    reduced.py [-o DIR] [--opset N] [NAME...]

The files in ortcheck/testdata are what it writes without options there; --list prints the names. The layers are those of
the whole networks, most of which are built as they are, while each count of channels is divided by one number; where a
constructor takes widths and depths, by its arguments. Pictures are SIDE pixels wide, the detectors' and inception's 96. Random
weights with a seed; batch norm and logits as networks.py makes them.

Needs what networks.py needs.
"""
import argparse
import contextlib
import os
import warnings

import torch
from networks import Main, spread, write
from torch import nn
from torchvision import models
from torchvision.models import detection, regnet, segmentation
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.models.detection.ssdlite import SSDLiteHead, _mobilenet_extractor
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

SIDE = 64
CLASSES = 10
WIDTH = 8  # of a feature pyramid
BOXES = dict(num_classes=CLASSES, min_size=96, max_size=96)
FOUND = dict(rpn_pre_nms_top_n_test=100, rpn_post_nms_top_n_test=30, box_detections_per_img=20)


@contextlib.contextmanager
def narrow(by):
    """Divide the counts of channels of all layers that are built meanwhile, but 3 of a picture and 1."""

    def less(n):
        return n if n in (1, 3) else max(n // by, 1)

    def conv(make):
        def init(self, inputs, outputs, *args, groups=1, **rest):
            make(self, less(inputs), less(outputs), *args, groups=less(groups), **rest)

        return init

    def first(count):
        def wrap(make):
            def init(self, *args, **rest):
                make(self, *map(less, args[:count]), *args[count:], **rest)

            return init

        return wrap

    kinds = {nn.Conv2d: conv, nn.Linear: first(2), nn.BatchNorm2d: first(1)}
    whole = {kind: kind.__init__ for kind in kinds}
    for kind, wrap in kinds.items():
        kind.__init__ = wrap(whole[kind])
    try:
        yield
    finally:
        for kind, init in whole.items():
            kind.__init__ = init


def narrowed(name, by, **args):
    def build():
        with narrow(by):
            return getattr(models, name)(num_classes=CLASSES * by, **args)

    return build


def segmenter(name, by, **args):
    def build():
        with narrow(by):
            return Main(getattr(segmentation, name)(weights=None, weights_backbone=None, num_classes=CLASSES * by, **args))

    return build


def pyramid(extra, levels):
    with narrow(256 // WIDTH):
        net = _resnet_fpn_extractor(models.resnet18(), 5, returned_layers=levels, extra_blocks=extra)
    net.out_channels = WIDTH
    return net


def anchors(levels, sizes=1, side=8):
    """Anchors of one side a level, or of several between two levels."""
    of = tuple(tuple(int(side * 2 ** (k + i / sizes)) for i in range(sizes)) for k in range(levels))
    return AnchorGenerator(of, ((0.5, 1.0, 2.0),) * levels)


def retinanet():
    with narrow(256 // WIDTH):
        extra = LastLevelP6P7(256, 256)
    return detection.RetinaNet(pyramid(extra, [2, 3, 4]), anchor_generator=anchors(5, 3), topk_candidates=50, detections_per_img=20, **BOXES)


def rcnn(kind):
    def build():
        return kind(pyramid(LastLevelMaxPool(), None), rpn_anchor_generator=anchors(5), box_head=detection.faster_rcnn.TwoMLPHead(WIDTH * 7 * 7, 32),
                    box_predictor=detection.faster_rcnn.FastRCNNPredictor(32, CLASSES), **HEADS[kind](), **BOXES | {"num_classes": None}, **FOUND)

    return build


HEADS = {
    detection.FasterRCNN: dict,
    detection.MaskRCNN: lambda: dict(
        mask_head=detection.mask_rcnn.MaskRCNNHeads(WIDTH, (WIDTH,) * 4, 1),
        mask_predictor=detection.mask_rcnn.MaskRCNNPredictor(WIDTH, WIDTH, CLASSES)),
}


def ssdlite():
    def norm(n):
        return nn.BatchNorm2d(n, eps=0.001, momentum=0.03)

    with narrow(16):
        whole = models.mobilenet_v3_large(norm_layer=norm, reduced_tail=True)
        net = _mobilenet_extractor(whole, 6, norm)
    generator = DefaultBoxGenerator([[2, 3] for _ in range(6)], min_ratio=0.2, max_ratio=0.95)
    channels = detection._utils.retrieve_out_channels(net, (96, 96))
    head = SSDLiteHead(channels, generator.num_anchors_per_location(), CLASSES, norm)
    return detection.ssd.SSD(net, generator, (96, 96), CLASSES, head=head, score_thresh=0.05, nms_thresh=0.55, detections_per_img=20, topk_candidates=50,
                             image_mean=[0.5] * 3, image_std=[0.5] * 3)


def regnet_y():
    of = regnet.BlockParams([1, 2, 3, 2], [8, 16, 32, 64], [4, 8, 8, 8], [1.0] * 4, [2] * 4, 0.25)
    return models.RegNet(of, num_classes=CLASSES, stem_width=8)


def convnext():
    of = [CNBlockConfig(8, 16, 1), CNBlockConfig(16, 32, 1), CNBlockConfig(32, 48, 3), CNBlockConfig(48, None, 1)]
    return models.ConvNeXt(of, layer_scale=0.5, num_classes=CLASSES)


NETWORKS = {
    "convnext": convnext,
    "deeplabv3": segmenter("deeplabv3_mobilenet_v3_large", 16),
    "densenet121": narrowed("densenet121", 16),
    "efficientnet_b0": narrowed("efficientnet_b0", 16),
    "fasterrcnn": rcnn(detection.FasterRCNN),
    "fcn": segmenter("fcn_resnet50", 32),
    "googlenet": narrowed("googlenet", 8, aux_logits=False, init_weights=False),
    "inception_v3": narrowed("inception_v3", 16, aux_logits=False, init_weights=False),
    "lraspp": segmenter("lraspp_mobilenet_v3_large", 16),
    "maskrcnn": rcnn(detection.MaskRCNN),
    "maxvit": lambda: models.MaxVit((SIDE, SIDE), 8, 2, [8, 8, 16, 16], [1, 1, 1, 1], 8, 0.0, num_classes=CLASSES),
    "mnasnet1_0": narrowed("mnasnet1_0", 16),
    "mobilenet_v2": narrowed("mobilenet_v2", 8),
    "mobilenet_v3_small": narrowed("mobilenet_v3_small", 8),
    "regnet_y": regnet_y,
    "resnet50": narrowed("resnet50", 32),
    "retinanet": retinanet,
    "shufflenet_v2": lambda: models.ShuffleNetV2([4, 8, 4], [8, 16, 32, 64, 64], num_classes=CLASSES),
    "squeezenet1_1": narrowed("squeezenet1_1", 8),
    "ssdlite": ssdlite,
    "swin": lambda: models.SwinTransformer([4, 4], 8, [2, 2], [1, 2], [4, 4], num_classes=CLASSES),
    "vit": lambda: models.VisionTransformer(SIDE, 16, 3, 2, 16, 32, num_classes=CLASSES),
}
DETECTORS = ("fasterrcnn", "maskrcnn", "retinanet", "ssdlite")
LARGE = DETECTORS + ("inception_v3",)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("names", nargs="*", metavar="NAME", default=list(NETWORKS))
    args.add_argument("-o", metavar="DIR", default=os.path.normpath(os.path.join(os.path.dirname(__file__), "../../ortcheck/testdata")))
    args.add_argument("--opset", type=int, default=16)
    args.add_argument("--list", action="store_true")
    a = args.parse_args()
    if a.list:
        print("\n".join(NETWORKS))
        return
    warnings.filterwarnings("ignore")
    for name in a.names:
        torch.manual_seed(0)
        px = 96 if name in LARGE else SIDE
        noise = torch.randn(2, 3, px, px, generator=torch.Generator().manual_seed(2))
        net, detector = NETWORKS[name]().eval(), name in DETECTORS
        spread(net, list(noise) if detector else noise, name == "retinanet")
        write(net, [noise[0]] if detector else noise[:1], os.path.join(a.o, name + ".onnx"), a.opset)


if __name__ == "__main__":
    main()
