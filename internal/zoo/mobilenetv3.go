package zoo

import "fmt"

// bneck is a row of tables 1 and 2 of Howard et al.: Searching for MobileNetV3 (ICCV 2019).
type bneck struct {
	kernel, expanded, out int
	squeeze, hard         bool // squeeze-excite; hard swish
	stride                int
}

var (
	mobileNetV3Large = []bneck{
		{3, 16, 16, false, false, 1}, {3, 64, 24, false, false, 2}, {3, 72, 24, false, false, 1},
		{5, 72, 40, true, false, 2}, {5, 120, 40, true, false, 1}, {5, 120, 40, true, false, 1},
		{3, 240, 80, false, true, 2}, {3, 200, 80, false, true, 1}, {3, 184, 80, false, true, 1}, {3, 184, 80, false, true, 1},
		{3, 480, 112, true, true, 1}, {3, 672, 112, true, true, 1},
		{5, 672, 160, true, true, 2}, {5, 960, 160, true, true, 1}, {5, 960, 160, true, true, 1},
	}
	mobileNetV3Small = []bneck{
		{3, 16, 16, true, false, 2}, {3, 72, 24, false, false, 2}, {3, 88, 24, false, false, 1},
		{5, 96, 40, true, true, 2}, {5, 240, 40, true, true, 1}, {5, 240, 40, true, true, 1},
		{5, 120, 48, true, true, 1}, {5, 144, 48, true, true, 1},
		{5, 288, 96, true, true, 2}, {5, 576, 96, true, true, 1}, {5, 576, 96, true, true, 1},
	}
)

// mobileNetV3 has channels multiplied by alpha, a head as wide, and torchvision's paths.
func mobileNetV3(rows []bneck, head int, alpha float64) func(*net, value) value {
	wide := func(c int) int { return eights(float64(c) * alpha) }
	return func(n *net, x value) value {
		x = n.convAct("features.0", x, convolution{kernel: 3, stride: 2, out: wide(16)}, hardSwish)
		for i, r := range rows {
			path, k := fmt.Sprintf("features.%d", 1+i), 0
			part := func() string { k++; return fmt.Sprintf("%s.block.%d", path, k-1) }
			trunk, in, mid, a := x, n.shape(x)[1], wide(r.expanded), relu
			if r.hard {
				a = hardSwish
			}
			if mid != in {
				x = n.convAct(part(), x, convolution{kernel: 1, stride: 1, out: mid}, a)
			}
			x = n.convAct(part(), x, convolution{kernel: r.kernel, stride: r.stride, out: mid, depthwise: true}, a)
			if r.squeeze {
				x = n.gated(part(), x, eights(float64(mid/4)), relu, hardSigmoid)
			}
			residual := r.stride == 1 && in == wide(r.out)
			x = n.conv(part()+".0", x, convolution{kernel: 1, stride: 1, out: wide(r.out), damp: residual})
			if residual {
				x = n.add(path+".add", x, trunk)
			}
		}
		x = n.convAct(fmt.Sprintf("features.%d", 1+len(rows)), x, convolution{kernel: 1, stride: 1, out: 6 * n.shape(x)[1]}, hardSwish)
		x = n.flatten(n.averagePool("avgpool", x))
		return n.fc("classifier.3", n.act("classifier.1", n.fc("classifier.0", x, wide(head)), hardSwish), 1000)
	}
}
