// Package zoo builds the convolutional networks that papers on processing in
// memory measure, and a toy one, without any file: torchvision's topologies in
// evaluation mode with the batch norm already folded into the convolutions, as
// an exporter writes them.
//
// A name and a batch size go in, a checked graph comes out. Nodes and parameters
// carry torchvision's module paths. Weights are pseudo-random, the same on every
// platform, and made only when their values are asked for. The package knows no
// trained weights.
package zoo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/tensor"
)

// Entry describes one network.
type Entry struct {
	Name   string
	About  string       // what it is, in a line
	Source string       // the paper and the implementation whose shapes are followed
	Input  tensor.Shape // of one image
	build  func(n *net, x value) value
}

// entries is the zoo, sorted by name.
var entries = []Entry{
	{
		Name: "densenet-121", About: "dense blocks: each layer reads all before it",
		Source: "Huang et al.: Densely Connected Convolutional Networks (CVPR 2017); torchvision.models.densenet121",
		Input:  imageNet, build: denseNet(32, 6, 12, 24, 16),
	},
	{
		Name: "efficientnet-b0", About: "inverted residuals with squeeze-excite and Swish",
		Source: "Tan, Le: EfficientNet (ICML 2019); torchvision.models.efficientnet_b0",
		Input:  imageNet, build: efficientNetB0,
	},
	{
		Name: "inception-v3", About: "modules of three and four branches, kernels of 1x7 and 7x1",
		Source: "Szegedy et al.: Rethinking the Inception Architecture (CVPR 2016); torchvision.models.inception_v3",
		Input:  tensor.Shape{3, 299, 299}, build: inceptionV3,
	},
	{
		Name: "mnasnet-1.0", About: "inverted residuals found by architecture search",
		Source: "Tan et al.: MnasNet (CVPR 2019); torchvision.models.mnasnet1_0",
		Input:  imageNet, build: mnasNet10,
	},
	{
		Name: "mobilenet-v2", About: "inverted residuals with linear bottlenecks and ReLU6",
		Source: "Sandler et al.: MobileNetV2 (CVPR 2018); torchvision.models.mobilenet_v2",
		Input:  imageNet, build: mobileNetV2,
	},
	{
		Name: "resnet-50", About: "bottleneck residuals, stride in the 3x3 (v1.5)",
		Source: "He et al.: Deep Residual Learning (CVPR 2016); torchvision.models.resnet50",
		Input:  imageNet, build: resNet50,
	},
	{
		Name: "toy", About: "one of each: dense, depthwise and 1x1 convolution, pool, residual, squeeze-excite, FC",
		Source: "made for this project: small enough to check by hand",
		Input:  tensor.Shape{8, 16, 16}, build: toy,
	},
	{
		Name: "vgg-16", About: "thirteen dense 3x3 convolutions and three large FC layers",
		Source: "Simonyan, Zisserman: Very Deep Convolutional Networks (ICLR 2015); torchvision.models.vgg16",
		Input:  imageNet, build: vgg16,
	},
}

var imageNet = tensor.Shape{3, 224, 224}

// List returns the networks, sorted by name.
func List() []Entry { return append([]Entry{}, entries...) }

// Names returns the names of the networks that List has, sorted.
func Names() []string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name
	}
	return names
}

// MaxBatch keeps the largest value of every network below the 2^40 numbers that a
// graph's values may have.
const MaxBatch = 1 << 16

// Relatives returns the names of further networks that Build knows: those that
// tables of measured times have beside the papers'. Their names are torchvision's.
func Relatives() []string {
	names := make([]string, len(relatives))
	for i, e := range relatives {
		names[i] = e.Name
	}
	return names
}

// Build returns the network called name, or name@N for images of N rows and columns, for
// batch images at once, with one
// float32 input "input" of batch x C x H x W and one output "output" of batch x
// classes. It fails on an unknown name and a batch out of 1 to MaxBatch.
func Build(name string, batch int) (*graph.Graph, error) {
	if batch < 1 || batch > MaxBatch {
		return nil, fault.Usagef("network %.80q: batch %d: 1 to %d wanted", name, batch, MaxBatch)
	}
	bare, size, sized := strings.Cut(name, "@")
	for _, e := range slices.Concat(entries, relatives) {
		switch {
		case e.Name == name:
			return e.graph(batch), nil
		case e.Name == bare && sized:
			n, err := strconv.Atoi(size)
			if err != nil || n < 32 || n > 4096 {
				return nil, fault.Usagef("network %.80q: images of %.80q: 32 to 4096 rows and columns wanted", name, size)
			}
			e.Name, e.Input = name, tensor.Shape{e.Input[0], n, n}
			return e.graph(batch), nil
		}
	}
	return nil, fault.Usagef("network %.80q is not known%s", name, nearest.Hint(name, Names()))
}

// graph panics on a failure: the tables below are ours.
func (e *Entry) graph(batch int) *graph.Graph {
	n := &net{name: e.Name, b: graph.NewBuilder(e.Name)}
	in := append(tensor.Shape{batch}, e.Input...)
	x := value{id: n.b.Input("input", tensor.Float32, in), moment: 1}
	n.b.Output("output", e.build(n, x).id)
	g, err := n.b.Graph()
	if err != nil {
		panic(fmt.Sprintf("zoo: %s: %v", e.Name, err))
	}
	return g
}
