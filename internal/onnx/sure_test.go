package onnx

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pimflow/internal/graph"
)

// TestManyNodes: a file of too many operations is refused before one of its nodes is lowered, by which no node is named; nodes of
// shapes make none.
func TestManyNodes(t *testing.T) {
	for _, c := range []struct{ first, op, want string }{
		{"x", "Sigmoid", fmt.Sprintf("more than %d operations in one graph", graph.MaxOperations)},
		{"s", "Abs", ""},
	} {
		fields := [][]byte{input("x", 1, 4), call("Shape", "x", "s")}
		last := c.first
		for i := range graph.MaxOperations + 1 {
			next := fmt.Sprintf("v%d", i)
			fields = append(fields, call(c.op, last, next))
			last = next
		}
		fields = append(fields, call("Add", "x x", "y"), result("y"), result(last))
		f := &File{}
		err := f.decode(context.Background(), memory(model(13, fields...)), "m", Options{}, nil)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s of %s: got %v, want %q", c.op, c.first, err, c.want)
		}
	}
}
