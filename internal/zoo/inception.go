package zoo

import "fmt"

// inceptionV3 is table 1 of the paper as torchvision has it, without the auxiliary
// classifier, which inference does not use.
func inceptionV3(n *net, x value) value {
	x = n.basic("Conv2d_1a_3x3", x, convolution{kernel: 3, stride: 2, out: 32, valid: true})
	x = n.basic("Conv2d_2a_3x3", x, convolution{kernel: 3, stride: 1, out: 32, valid: true})
	x = n.basic("Conv2d_2b_3x3", x, convolution{kernel: 3, stride: 1, out: 64})
	x = n.maxPool("maxpool1", x, 3, 2, 0)
	x = n.basic("Conv2d_3b_1x1", x, convolution{kernel: 1, stride: 1, out: 80})
	x = n.basic("Conv2d_4a_3x3", x, convolution{kernel: 3, stride: 1, out: 192, valid: true})
	x = n.maxPool("maxpool2", x, 3, 2, 0)
	for i, m := range inceptionModules {
		x = n.module("Mixed_"+m.name, fmt.Sprintf("concat_%d", i), x, m.branches)
	}
	x = n.flatten(n.averagePool("avgpool", x))
	return n.fc("fc", x, 1000)
}

// module appends the branches of a module and the concatenation of their ends.
func (n *net) module(path, concat string, x value, branches [][]inceptionLayer) value {
	var ends []value
	for _, b := range branches {
		ends = append(ends, n.branch(path, x, b)...)
	}
	return n.concat(concat, ends...)
}

// branch appends the layers of a branch and returns its ends.
func (n *net) branch(path string, x value, layers []inceptionLayer) []value {
	for _, l := range layers {
		at := path + "." + l.name
		switch {
		case l.out == 0 && l.stride == 2:
			x = n.maxPool(at, x, 3, 2, 0)
		case l.most:
			x = n.maxPool(at, x, 3, 1, 1)
		case l.out == 0:
			x = n.meanPool(at, x, 3, 1, 1)
		case l.beside:
			return []value{
				n.basic(at+"a", x, convolution{rect: [2]int{1, 3}, stride: 1, out: l.out}),
				n.basic(at+"b", x, convolution{rect: [2]int{3, 1}, stride: 1, out: l.out}),
			}
		default:
			x = n.basic(at, x, convolution{rect: l.kernel, stride: max(l.stride, 1), out: l.out, valid: l.valid || l.stride == 2})
		}
	}
	return []value{x}
}

// basic is torchvision's inception.BasicConv2d.
func (n *net) basic(path string, x value, c convolution) value {
	return n.act(path+".relu", n.conv(path+".conv", x, c), relu)
}

// inceptionLayer is a convolution of a branch; without outputs it is a pool, which
// takes the maximum where it has a stride.
type inceptionLayer struct {
	name   string
	kernel [2]int
	out    int
	stride int  // 0: 1
	beside bool // the last two of a branch: 1x3 and 3x1 side by side
	valid  bool // no padding; so is every convolution with a stride
	most   bool // a pool without a stride takes the maximum too
}

type inceptionModule struct {
	name     string
	branches [][]inceptionLayer
}

var inceptionModules = []inceptionModule{
	inceptionA("5b", 32), inceptionA("5c", 64), inceptionA("5d", 64),
	inceptionB("6a"),
	inceptionC("6b", 128), inceptionC("6c", 160), inceptionC("6d", 160), inceptionC("6e", 192),
	inceptionD("7a"),
	inceptionE("7b"), inceptionE("7c"),
}

func square(k int) [2]int { return [2]int{k, k} }

var (
	wide7 = [2]int{1, 7}
	tall7 = [2]int{7, 1}
)

// inceptionA to inceptionE are torchvision's modules of these names.
func inceptionA(name string, pool int) inceptionModule {
	return inceptionModule{name, [][]inceptionLayer{
		{{name: "branch1x1", kernel: square(1), out: 64}},
		{{name: "branch5x5_1", kernel: square(1), out: 48}, {name: "branch5x5_2", kernel: square(5), out: 64}},
		{{name: "branch3x3dbl_1", kernel: square(1), out: 64}, {name: "branch3x3dbl_2", kernel: square(3), out: 96}, {name: "branch3x3dbl_3", kernel: square(3), out: 96}},
		{{name: "pool"}, {name: "branch_pool", kernel: square(1), out: pool}},
	}}
}

func inceptionB(name string) inceptionModule {
	return inceptionModule{name, [][]inceptionLayer{
		{{name: "branch3x3", kernel: square(3), out: 384, stride: 2}},
		{{name: "branch3x3dbl_1", kernel: square(1), out: 64}, {name: "branch3x3dbl_2", kernel: square(3), out: 96}, {name: "branch3x3dbl_3", kernel: square(3), out: 96, stride: 2}},
		{{name: "pool", stride: 2}},
	}}
}

func inceptionC(name string, c int) inceptionModule {
	return inceptionModule{name, [][]inceptionLayer{
		{{name: "branch1x1", kernel: square(1), out: 192}},
		{{name: "branch7x7_1", kernel: square(1), out: c}, {name: "branch7x7_2", kernel: wide7, out: c}, {name: "branch7x7_3", kernel: tall7, out: 192}},
		{{name: "branch7x7dbl_1", kernel: square(1), out: c}, {name: "branch7x7dbl_2", kernel: tall7, out: c}, {name: "branch7x7dbl_3", kernel: wide7, out: c},
			{name: "branch7x7dbl_4", kernel: tall7, out: c}, {name: "branch7x7dbl_5", kernel: wide7, out: 192}},
		{{name: "pool"}, {name: "branch_pool", kernel: square(1), out: 192}},
	}}
}

func inceptionD(name string) inceptionModule {
	return inceptionModule{name, [][]inceptionLayer{
		{{name: "branch3x3_1", kernel: square(1), out: 192}, {name: "branch3x3_2", kernel: square(3), out: 320, stride: 2}},
		{{name: "branch7x7x3_1", kernel: square(1), out: 192}, {name: "branch7x7x3_2", kernel: wide7, out: 192}, {name: "branch7x7x3_3", kernel: tall7, out: 192},
			{name: "branch7x7x3_4", kernel: square(3), out: 192, stride: 2}},
		{{name: "pool", stride: 2}},
	}}
}

func inceptionE(name string) inceptionModule {
	return inceptionModule{name, [][]inceptionLayer{
		{{name: "branch1x1", kernel: square(1), out: 320}},
		{{name: "branch3x3_1", kernel: square(1), out: 384}, {name: "branch3x3_2", out: 384, beside: true}},
		{{name: "branch3x3dbl_1", kernel: square(1), out: 448}, {name: "branch3x3dbl_2", kernel: square(3), out: 384}, {name: "branch3x3dbl_3", out: 384, beside: true}},
		{{name: "pool"}, {name: "branch_pool", kernel: square(1), out: 192}},
	}}
}
