package zoo

import (
	"fmt"

	"pimflow/internal/op"
)

// shuffleNetV2 is table 5 of Ma et al.: ShuffleNet V2 (ECCV 2018) with so many channels
// after the stem, in each stage, and before the classifier, as torchvision has it.
func shuffleNetV2(stem, two, three, four, last int) func(*net, value) value {
	return func(n *net, x value) value {
		x = n.convAct("conv1", x, convolution{kernel: 3, stride: 2, out: stem}, relu)
		x = n.maxPool("maxpool", x, 3, 2, 1)
		for i, s := range []struct{ out, repeats int }{{two, 4}, {three, 8}, {four, 4}} {
			for j := range s.repeats {
				x = n.shuffleUnit(fmt.Sprintf("stage%d.%d", 2+i, j), x, s.out/2, j == 0)
			}
		}
		x = n.convAct("conv5", x, convolution{kernel: 1, stride: 1, out: last}, relu)
		return n.fc("fc", n.flatten(n.averagePool("mean", x)), 1000)
	}
}

// shuffleUnit is torchvision's shufflenetv2.InvertedResidual: two branches of so many
// channels, shuffled. The first of a stage convolves both and halves the image; the others
// convolve one half of the channels.
func (n *net) shuffleUnit(path string, x value, width int, first bool) value {
	stride, trunk := 1, x
	if first {
		stride = 2
		trunk = n.conv(path+".branch1.0", trunk, convolution{kernel: 3, stride: 2, out: n.shape(x)[1], depthwise: true})
		trunk = n.act(path+".branch1.4", n.conv(path+".branch1.2", trunk, convolution{kernel: 1, stride: 1, out: width}), relu)
	} else {
		trunk, x = n.channels(path+".first", x, 0, width), n.channels(path+".second", x, width, 2*width)
	}
	x = n.act(path+".branch2.2", n.conv(path+".branch2.0", x, convolution{kernel: 1, stride: 1, out: width}), relu)
	x = n.conv(path+".branch2.3", x, convolution{kernel: 3, stride: stride, out: width, depthwise: true})
	x = n.act(path+".branch2.7", n.conv(path+".branch2.5", x, convolution{kernel: 1, stride: 1, out: width}), relu)
	return n.shuffle(path, n.concat(path+".concat", trunk, x), 2)
}

// channels appends the slice of the channels from lo to hi, named path.
func (n *net) channels(path string, x value, lo, hi int) value {
	x.id = n.op(path, "Slice", op.Attrs{"starts": []int64{int64(lo)}, "ends": []int64{int64(hi)}, "axes": []int64{1}, "steps": []int64{1}}, x.id)
	return x
}

// shuffle transposes groups of channels with the channels of a group, under path.
func (n *net) shuffle(path string, x value, groups int) value {
	s := n.shape(x)
	reshape := func(name string, dims ...int64) {
		x.id = n.op(path+name, "Reshape", op.Attrs{"shape": dims}, x.id)
	}
	b, c, h, w, g := int64(s[0]), int64(s[1]), int64(s[2]), int64(s[3]), int64(groups)
	reshape(".view", b, g, c/g, h, w)
	x.id = n.op(path+".transpose", "Transpose", op.Attrs{"perm": []int64{0, 2, 1, 3, 4}}, x.id)
	reshape(".view_1", b, c, h, w)
	return x
}
