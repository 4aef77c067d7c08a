package zoo

import (
	"slices"
	"testing"
)

// TestRelatives compares the products and parameters of the further networks with
// torchvision's tables of its models, to the three decimals of GFLOPS, and of
// networks without batch norms the parameters.
func TestRelatives(t *testing.T) {
	want := map[string]float64{ // torchvision.models: GFLOPS of the weights' tables
		"alexnet": 0.714, "densenet121": 2.834, "densenet161": 7.728, "densenet169": 3.360, "densenet201": 4.291,
		"mnasnet0_5": 0.104, "mnasnet0_75": 0.215, "mnasnet1_0": 0.314, "mnasnet1_3": 0.526, "mobilenet_v2": 0.301,
		"resnet101": 7.801, "resnet152": 11.514, "resnet18": 1.814, "resnet34": 3.664, "resnet50": 4.089,
		"resnext101_32x8d": 16.414, "resnext50_32x4d": 4.230, "squeezenet1_0": 0.819, "squeezenet1_1": 0.349,
		"vgg11": 7.609, "vgg13": 11.308, "vgg16": 15.470, "vgg19": 19.632, "wide_resnet101_2": 22.753, "wide_resnet50_2": 11.398,
	}
	names := Relatives()
	if !slices.IsSorted(names) || len(names) != len(want) {
		t.Errorf("%d networks: %v", len(names), names)
	}
	for _, name := range names {
		_, macs := layers(build(t, name, 1))
		if g := float64(macs) / 1e9; g < want[name]-0.00051 || g > want[name]+0.00051 {
			t.Errorf("%s: %.4f GMAC: %.3f wanted", name, g, want[name])
		}
	}
	for name, n := range map[string]int{"alexnet": 61100840, "squeezenet1_0": 1248424, "squeezenet1_1": 1235496, "vgg11": 132863336, "vgg13": 133047848, "vgg19": 143667240} {
		if got := parameters(build(t, name, 1)); got != n {
			t.Errorf("%s: %d parameters: %d wanted", name, got, n)
		}
	}
	for _, pair := range [][2]string{{"mnasnet1_0", "mnasnet-1.0"}, {"mobilenet_v2", "mobilenet-v2"}, {"resnet50", "resnet-50"}, {"vgg16", "vgg-16"}} {
		a, _ := layers(build(t, pair[0], 1))
		b, _ := layers(build(t, pair[1], 1))
		if !slices.Equal(a, b) {
			t.Errorf("%s and %s differ", pair[0], pair[1])
		}
	}
}
