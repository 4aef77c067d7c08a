package onnx

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/op"
)

// TestOperators: each row of a table says what it becomes.
func TestOperators(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range Operators() {
		seen[o.Name], seen[o.Name+" of "+o.Domain] = true, true
		if want := o.Domain == microsoft; o.Name == "QLinearConv" && slices.Contains(o.Becomes, "Transpose") != want {
			t.Errorf("%s of domain %q becomes %v, of com.microsoft alone channels may be last", o.Name, o.Domain, o.Becomes)
		}
		for _, name := range o.Becomes {
			if _, err := op.Lookup(name); err != nil {
				t.Errorf("%s becomes %s: %v: say in notes what it becomes", o.Name, name, err)
			}
		}
		if o.Since > o.Until || o.Until > maxOpset {
			t.Errorf("%s is of opsets %d to %d", o.Name, o.Since, o.Until)
		}
	}
	for name := range notes {
		if !seen[name] {
			t.Errorf("%s has a note and no row", name)
		}
	}
	for name := range notesOfMicrosoft {
		if !seen[name+" of "+microsoft] {
			t.Errorf("%s of com.microsoft has a note and no row", name)
		}
	}
}

// TestBecomes: ONNX's node tests come to the operators that Operators lists, in the opsets that it lists.
func TestBecomes(t *testing.T) {
	paths, _ := filepath.Glob(nodeTests + "/*/model.onnx")
	if len(paths) == 0 {
		t.Skipf("%s is empty: apt-get install libonnx-testdata", nodeTests)
	}
	rows := map[string]Operator{}
	for _, o := range Operators() {
		if o.Domain == "" {
			rows[o.Name] = o
		}
	}
	for _, path := range paths {
		g, _, _, err := readNodeTest(path)
		if err != nil {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := decodeModel(t.Context(), memory(data))
		if err != nil {
			t.Fatal(err)
		}
		opset, err := m.opset()
		if err != nil {
			t.Fatal(err)
		}
		becomes := map[string]bool{}
		var read []string
		for _, p := range m.graph.all() {
			o := rows[p.opType]
			if read = append(read, p.opType); opset < o.Since || opset > o.Until {
				t.Errorf("%s: %s in opset %d: %d to %d are listed", path, p.opType, opset, o.Since, o.Until)
			}
			for _, name := range o.Becomes {
				becomes[name] = true
			}
		}
		for i := range g.Nodes {
			if nd := &g.Nodes[i]; nd.Op != nil && !becomes[nd.Op.Name] {
				t.Errorf("%s: %s comes to %s", filepath.Base(filepath.Dir(path)), strings.Join(slices.Compact(slices.Sorted(slices.Values(read))), ", "), nd.Op.Name)
			}
		}
	}
}

// all lists the nodes of a graph, and of those in it.
func (g *graphProto) all() (list []*nodeProto) {
	for _, p := range g.nodes {
		list = append(list, p)
		for _, a := range p.attrs {
			if a.graph != nil {
				list = append(list, a.graph.all()...)
			}
		}
	}
	return list
}
