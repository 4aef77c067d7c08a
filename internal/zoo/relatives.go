package zoo

import (
	"fmt"
	"strconv"
	"strings"

	"pimflow/internal/tensor"
)

// relatives are further networks, sorted by name: torchvision.models' of the same name, and
// some widths of theirs that torchvision does not list. Images are of 3x224x224 but for the
// EfficientNets.
var relatives = []Entry{
	relative("alexnet", alexNet),
	relative("densenet121", denseNet(32, 6, 12, 24, 16)),
	relative("densenet161", denseNet(48, 6, 12, 36, 24)),
	relative("densenet169", denseNet(32, 6, 12, 32, 32)),
	relative("densenet201", denseNet(32, 6, 12, 48, 32)),
	relative("densenet264", denseNet(32, 6, 12, 64, 48)),
	sized("efficientnet_b0", 224, efficientNet(1, 1)),
	sized("efficientnet_b1", 240, efficientNet(1, 1.1)),
	sized("efficientnet_b2", 288, efficientNet(1.1, 1.2)),
	sized("efficientnet_b3", 300, efficientNet(1.2, 1.4)),
	sized("efficientnet_b4", 380, efficientNet(1.4, 1.8)),
	sized("efficientnet_b5", 456, efficientNet(1.6, 2.2)),
	sized("efficientnet_b6", 528, efficientNet(1.8, 2.6)),
	sized("efficientnet_b7", 600, efficientNet(2, 3.1)),
	relative("googlenet", googLeNet),
	relative("inception_v3", inceptionV3),
	relative("inception_v4", inceptionV4),
	relative("mnasnet0_5", mnasNet(0.5)),
	relative("mnasnet0_75", mnasNet(0.75)),
	relative("mnasnet1_0", mnasNet(1)),
	relative("mnasnet1_3", mnasNet(1.3)),
	relative("mobilenet_v1", mobileNetV1(1)),
	relative("mobilenet_v1_x0_25", mobileNetV1(0.25)),
	relative("mobilenet_v1_x0_5", mobileNetV1(0.5)),
	relative("mobilenet_v1_x0_75", mobileNetV1(0.75)),
	relative("mobilenet_v2", mobileNetV2),
	relative("mobilenet_v2_x0_25", wideMobileNetV2(0.25)),
	relative("mobilenet_v2_x0_5", wideMobileNetV2(0.5)),
	relative("mobilenet_v2_x0_75", wideMobileNetV2(0.75)),
	relative("mobilenet_v2_x1_5", wideMobileNetV2(1.5)),
	relative("mobilenet_v2_x2_0", wideMobileNetV2(2)),
	relative("mobilenet_v3_large", mobileNetV3(mobileNetV3Large, 1280, 1)),
	relative("mobilenet_v3_large_x0_35", mobileNetV3(mobileNetV3Large, 1280, 0.35)),
	relative("mobilenet_v3_large_x0_5", mobileNetV3(mobileNetV3Large, 1280, 0.5)),
	relative("mobilenet_v3_large_x0_75", mobileNetV3(mobileNetV3Large, 1280, 0.75)),
	relative("mobilenet_v3_large_x1_25", mobileNetV3(mobileNetV3Large, 1280, 1.25)),
	relative("mobilenet_v3_small", mobileNetV3(mobileNetV3Small, 1024, 1)),
	relative("mobilenet_v3_small_x0_35", mobileNetV3(mobileNetV3Small, 1024, 0.35)),
	relative("mobilenet_v3_small_x0_5", mobileNetV3(mobileNetV3Small, 1024, 0.5)),
	relative("mobilenet_v3_small_x0_75", mobileNetV3(mobileNetV3Small, 1024, 0.75)),
	relative("mobilenet_v3_small_x1_25", mobileNetV3(mobileNetV3Small, 1024, 1.25)),
	relative("resnet101", resNet(3, 4, 23, 3)),
	relative("resnet152", resNet(3, 8, 36, 3)),
	relative("resnet18", residual{basic: true}.net(2, 2, 2, 2)),
	relative("resnet34", residual{basic: true}.net(3, 4, 6, 3)),
	relative("resnet50", resNet50),
	relative("resnext101_32x4d", residual{groups: 32, widen: 2}.net(3, 4, 23, 3)),
	relative("resnext101_32x8d", residual{groups: 32, widen: 4}.net(3, 4, 23, 3)),
	relative("resnext101_64x4d", residual{groups: 64, widen: 4}.net(3, 4, 23, 3)),
	relative("resnext152_32x4d", residual{groups: 32, widen: 2}.net(3, 8, 36, 3)),
	relative("resnext152_64x4d", residual{groups: 64, widen: 4}.net(3, 8, 36, 3)),
	relative("resnext50_32x4d", residual{groups: 32, widen: 2}.net(3, 4, 6, 3)),
	relative("resnext50_64x4d", residual{groups: 64, widen: 4}.net(3, 4, 6, 3)),
	relative("shufflenet_v2_x0_25", shuffleNetV2(24, 24, 48, 96, 512)),
	relative("shufflenet_v2_x0_33", shuffleNetV2(24, 32, 64, 128, 512)),
	relative("shufflenet_v2_x0_5", shuffleNetV2(24, 48, 96, 192, 1024)),
	relative("shufflenet_v2_x1_0", shuffleNetV2(24, 116, 232, 464, 1024)),
	relative("shufflenet_v2_x1_5", shuffleNetV2(24, 176, 352, 704, 1024)),
	relative("shufflenet_v2_x2_0", shuffleNetV2(24, 244, 488, 976, 2048)),
	relative("squeezenet1_0", squeezeNet10),
	relative("squeezenet1_1", squeezeNet11),
	relative("vgg11", vgg(1, 1, 2, 2, 2)),
	relative("vgg13", vgg(2, 2, 2, 2, 2)),
	relative("vgg16", vgg16),
	relative("vgg19", vgg(2, 2, 4, 4, 4)),
	relative("wide_resnet101_2", residual{groups: 1, widen: 2}.net(3, 4, 23, 3)),
	relative("wide_resnet50_2", residual{groups: 1, widen: 2}.net(3, 4, 6, 3)),
}

func relative(name string, build func(*net, value) value) Entry { return sized(name, 224, build) }

// sized is a network for images of so many rows and columns.
func sized(name string, size int, build func(*net, value) value) Entry {
	return Entry{Name: name, Source: "torchvision.models." + name, Input: tensor.Shape{3, size, size}, build: build}
}

// Measured returns the name of the relative that a table of measured networks means: whatever
// the case and the punctuation, with the folded batch norms of VGG, and with @N for images of
// N rows and columns, as "InceptionV3@299". ok is false where there is none.
func Measured(name string) (known string, ok bool) {
	bare, size, sized := strings.Cut(name, "@")
	if n, err := strconv.Atoi(size); sized && (err != nil || n < 32 || n > 4096) {
		return "", false
	}
	key := letters(bare)
	if strings.HasPrefix(key, "vgg") {
		key = strings.TrimSuffix(key, "bn")
	}
	if other, found := synonyms[key]; found {
		key = other
	}
	for _, e := range relatives {
		if letters(e.Name) == key || letters(e.Name) == strings.TrimSuffix(key, "x10") {
			if sized {
				return e.Name + "@" + size, true
			}
			return e.Name, true
		}
	}
	return "", false
}

// synonyms are names of other model libraries.
var synonyms = map[string]string{
	"inceptionv1": "googlenet", "mobilenet": "mobilenetv1", "resnetv1101": "resnet101", "resnetv150": "resnet50", "resnetv1152": "resnet152",
	"shufflenetv2": "shufflenetv2x10", "squeezenet": "squeezenet10",
}

// letters are those of a name, and its digits.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-. ", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// alexNet is the one-tower AlexNet (Krizhevsky 2014).
func alexNet(n *net, x value) value {
	two := 2
	x = n.act("features.1", n.conv("features.0", x, convolution{kernel: 11, stride: 4, out: 64, pad: &two}), relu)
	x = n.maxPool("features.2", x, 3, 2, 0)
	x = n.act("features.4", n.conv("features.3", x, convolution{kernel: 5, stride: 1, out: 192}), relu)
	x = n.maxPool("features.5", x, 3, 2, 0)
	for i, out := range []int{384, 256, 256} {
		x = n.act(fmt.Sprintf("features.%d", 7+2*i), n.conv(fmt.Sprintf("features.%d", 6+2*i), x, convolution{kernel: 3, stride: 1, out: out}), relu)
	}
	return n.vggClassifier(n.maxPool("features.12", x, 3, 2, 0))
}

// denseNet is table 1 of Huang et al. (CVPR 2017) with a growth and so many layers in
// each block. A layer's own concatenation is that of all before it.
func denseNet(growth int, blocks ...int) func(*net, value) value {
	return func(n *net, x value) value {
		x = n.act("features.relu0", n.conv("features.conv0", x, convolution{kernel: 7, stride: 2, out: 2 * growth}), relu)
		x = n.maxPool("features.pool0", x, 3, 2, 1)
		for i, layers := range blocks {
			block := fmt.Sprintf("features.denseblock%d", 1+i)
			all := []value{x}
			for j := range layers {
				path := fmt.Sprintf("%s.denselayer%d", block, 1+j)
				y := all[0]
				if j > 0 {
					y = n.concat(path+".concat", all...)
				}
				y = n.act(path+".relu1", n.norm(path+".norm1", y), relu)
				y = n.act(path+".relu2", n.conv(path+".conv1", y, convolution{kernel: 1, stride: 1, out: 4 * growth}), relu)
				all = append(all, n.conv(path+".conv2", y, convolution{kernel: 3, stride: 1, out: growth, plain: true}))
			}
			x = n.concat(block+".concat", all...)
			if i < len(blocks)-1 {
				path := fmt.Sprintf("features.transition%d", 1+i)
				x = n.act(path+".relu", n.norm(path+".norm", x), relu)
				x = n.conv(path+".conv", x, convolution{kernel: 1, stride: 1, out: n.shape(x)[1] / 2, plain: true})
				x = n.halve(path+".pool", x)
			}
		}
		x = n.act("relu", n.norm("features.norm5", x), relu)
		return n.fc("classifier", n.flatten(n.averagePool("avgpool", x)), 1000)
	}
}

// fire is a squeeze to so many channels and two expansions, of 1x1 and 3x3, to four
// times as many each.
func (n *net) fire(path string, x value, squeeze int) value {
	x = n.act(path+".squeeze_activation", n.conv(path+".squeeze", x, convolution{kernel: 1, stride: 1, out: squeeze}), relu)
	return n.concat(path+".concat",
		n.act(path+".expand1x1_activation", n.conv(path+".expand1x1", x, convolution{kernel: 1, stride: 1, out: 4 * squeeze}), relu),
		n.act(path+".expand3x3_activation", n.conv(path+".expand3x3", x, convolution{kernel: 3, stride: 1, out: 4 * squeeze}), relu))
}

// squeezeNet10 and squeezeNet11 are Iandola et al.'s SqueezeNet (2016); 0 is a pool.
func squeezeNet10(n *net, x value) value {
	return n.squeezeNet(x, convolution{kernel: 7, stride: 2, out: 96}, 0, 16, 16, 32, 0, 32, 48, 48, 64, 0, 64)
}

func squeezeNet11(n *net, x value) value {
	return n.squeezeNet(x, convolution{kernel: 3, stride: 2, out: 64}, 0, 16, 16, 0, 32, 32, 0, 48, 48, 64, 64)
}

func (n *net) squeezeNet(x value, stem convolution, squeeze ...int) value {
	none := 0
	stem.pad = &none
	x = n.act("features.1", n.conv("features.0", x, stem), relu)
	for i, s := range squeeze {
		path := fmt.Sprintf("features.%d", 2+i)
		if s == 0 {
			x = n.shrink(path, x)
		} else {
			x = n.fire(path, x, s)
		}
	}
	x = n.act("classifier.2", n.conv("classifier.1", x, convolution{kernel: 1, stride: 1, out: 1000}), relu)
	return n.flatten(n.averagePool("classifier.3", x))
}
