package hostile

import (
	"fmt"
	"strings"
)

// Large makes a model that is right and large in one way: "convolutions", "sigmoids", "addition" or "rows". n is the number of
// nodes, of operands, or of rows.
func Large(kind string, n int) []byte { return large[kind](n) }

var large = map[string]func(n int) []byte{
	// A chain of 1x1 convolutions of 16 channels, which share a weight.
	"convolutions": func(n int) []byte {
		return chain(n, weight(zeros("w", 16, 16, 1, 1)), func(in, out string) message { return node("Conv", in+" w", out) })
	},
	"sigmoids": func(n int) []byte {
		return chain(n, nil, func(in, out string) message { return node("Sigmoid", in, out) })
	},
	// One addition of n operands, all of them the input.
	"addition": func(n int) []byte {
		return model(input("x", 1, 16, 8, 8), node("Sum", strings.Repeat("x ", n), "y"), output("y"))
	},
	// A 3x3 convolution of n rows.
	"rows": func(n int) []byte {
		return model(input("x", 1, 16, n, 8), weight(zeros("w", 16, 16, 3, 3)),
			node("Conv", "x w", "y", attr("pads", []int{1, 1, 1, 1})), output("y"))
	},
}

func chain(n int, weights message, link func(in, out string) message) []byte {
	nodes, last := message{}, "x"
	for i := range n {
		next := fmt.Sprintf("v%d", i)
		nodes = append(nodes, link(last, next)...)
		last = next
	}
	return model(input("x", 1, 16, 8, 8), weights, nodes, output(last))
}
