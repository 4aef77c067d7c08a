package zoo

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// TestRelatives compares the products and parameters of the further networks with
// torchvision's tables of its models: GFLOPS to their three decimals, parameters exactly.
func TestRelatives(t *testing.T) {
	want := map[string]float64{ // torchvision.models: GFLOPS of the weights' tables; of others the papers' and timm's
		"alexnet": 0.714, "densenet121": 2.834, "densenet161": 7.728, "densenet169": 3.360, "densenet201": 4.291,
		"efficientnet_b0": 0.386, "efficientnet_b1": 0.687, "efficientnet_b2": 1.088, "efficientnet_b3": 1.827,
		"efficientnet_b4": 4.394, "efficientnet_b5": 10.266, "efficientnet_b6": 19.068, "efficientnet_b7": 37.746,
		"googlenet": 1.498, "inception_v3@299": 5.713, "mobilenet_v3_large": 0.217, "mobilenet_v3_small": 0.057,
		"mnasnet0_5": 0.104, "mnasnet0_75": 0.215, "mnasnet1_0": 0.314, "mnasnet1_3": 0.526, "mobilenet_v2": 0.301,
		"resnet101": 7.801, "resnet152": 11.514, "resnet18": 1.814, "resnet34": 3.664, "resnet50": 4.089,
		"resnext101_32x8d": 16.414, "resnext101_64x4d": 15.460, "resnext50_32x4d": 4.230,
		"shufflenet_v2_x0_5": 0.040, "shufflenet_v2_x1_0": 0.145, "shufflenet_v2_x1_5": 0.296, "shufflenet_v2_x2_0": 0.583,
		"squeezenet1_0": 0.819, "squeezenet1_1": 0.349,
		"vgg11": 7.609, "vgg13": 11.308, "vgg16": 15.470, "vgg19": 19.632, "wide_resnet101_2": 22.753, "wide_resnet50_2": 11.398,
		// Howard et al. 2017, tables 6 and 8: 569, 325, 149 and 41 million products.
		"mobilenet_v1": 0.569, "mobilenet_v1_x0_75": 0.325, "mobilenet_v1_x0_5": 0.149, "mobilenet_v1_x0_25": 0.041,
	}
	names := Relatives()
	if !slices.IsSorted(names) {
		t.Errorf("networks are not sorted: %v", names)
	}
	for name, gmac := range want {
		_, macs := layers(build(t, name, 1))
		if g := float64(macs) / 1e9; math.Abs(g-gmac) > 0.00051 {
			t.Errorf("%s: %.4f GMAC: %.3f wanted", name, g, gmac)
		}
	}
	// timm's results have 12.28 GMAC of inception_v4, batch norms and pools among them.
	if _, macs := layers(build(t, "inception_v4@299", 1)); macs < 12.20e9 || macs > 12.28e9 {
		t.Errorf("inception_v4: %d MAC", macs)
	}
	// torchvision.models (of inception_v4 timm): parameters. A batch norm of C channels has 2C, of
	// which folding leaves C; DenseNet's are not all folded. Auxiliary classifiers, which
	// inference does not use, are left out of the numbers of googlenet and inception_v3.
	for name, n := range map[string]int{
		"alexnet": 61100840, "squeezenet1_0": 1248424, "squeezenet1_1": 1235496, "vgg11": 132863336, "vgg13": 133047848, "vgg19": 143667240,
		"efficientnet_b0": 5288548, "efficientnet_b1": 7794184, "efficientnet_b2": 9109994, "efficientnet_b3": 12233232,
		"efficientnet_b4": 19341616, "efficientnet_b5": 30389784, "efficientnet_b6": 43040704, "efficientnet_b7": 66347960,
		"googlenet": 6624904, "inception_v3": 23834568, "inception_v4": 42679816,
		"mnasnet0_5": 2218512, "mnasnet0_75": 3170208, "mnasnet1_0": 4383312, "mnasnet1_3": 6282256,
		"mobilenet_v2": 3504872, "mobilenet_v3_large": 5483032, "mobilenet_v3_small": 2542856,
		"resnet101": 44549160, "resnet152": 60192808, "resnet18": 11689512, "resnet34": 21797672, "resnet50": 25557032,
		"resnext101_32x8d": 88791336, "resnext101_64x4d": 83455272, "resnext50_32x4d": 25028904, "wide_resnet101_2": 126886696, "wide_resnet50_2": 68883240,
		"shufflenet_v2_x0_5": 1366792, "shufflenet_v2_x1_0": 2278604, "shufflenet_v2_x1_5": 3503624, "shufflenet_v2_x2_0": 7393996,
	} {
		g := build(t, name, 1)
		got := parameters(g)
		if !strings.HasPrefix(name, "alexnet") && !strings.HasPrefix(name, "squeezenet") && !strings.HasPrefix(name, "vgg") {
			for _, nd := range g.Nodes {
				if nd.Op != nil && nd.Op.Name == "Conv" && !strings.HasSuffix(nd.Name, ".fc1") && !strings.HasSuffix(nd.Name, ".fc2") {
					got += nd.Shape[1]
				}
			}
		}
		if got != n {
			t.Errorf("%s: %d parameters: %d wanted", name, got, n)
		}
	}
	for _, pair := range [][2]string{{"mnasnet1_0", "mnasnet-1.0"}, {"mobilenet_v2", "mobilenet-v2"}, {"resnet50", "resnet-50"}, {"vgg16", "vgg-16"}, {"efficientnet_b0", "efficientnet-b0"}, {"inception_v3@299", "inception-v3"}} {
		a, _ := layers(build(t, pair[0], 1))
		b, _ := layers(build(t, pair[1], 1))
		if !slices.Equal(a, b) {
			t.Errorf("%s and %s differ", pair[0], pair[1])
		}
	}
}

// TestMeasured: tables name networks in many ways, and each means one of Build's or none.
func TestMeasured(t *testing.T) {
	for name, want := range map[string]string{
		"resnet50": "resnet50", "ResNet50": "resnet50", "MobileNetV2": "mobilenet_v2", "mobilenet-v2": "mobilenet_v2", "MobileNetV3_large_x1_0": "mobilenet_v3_large",
		"vgg11_bn": "vgg11", "InceptionV4@299": "inception_v4@299", "inception_v1": "googlenet", "ShuffleNetV2": "shufflenet_v2_x1_0", "EfficientNetB3": "efficientnet_b3",
		"resnet50_vd": "", "resnet50@x": "", "resnet50@8": "", "": "",
	} {
		got, ok := Measured(name)
		if got != want || ok != (want != "") {
			t.Errorf("%q means %q: %q wanted", name, got, want)
		}
		if ok {
			if _, err := Build(got, 1); err != nil {
				t.Error(err)
			}
		}
	}
	for _, name := range Relatives() {
		if got, _ := Measured(name); got != name {
			t.Errorf("%s means %s", name, got)
		}
	}
	if _, err := Build("resnet50@5000", 1); err == nil || !strings.Contains(err.Error(), "32 to 4096") {
		t.Error(err)
	}
}
