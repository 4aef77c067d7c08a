package profile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// chain is a graph of layers: /a/Conv and /b/Conv with one kernel, /c/Relu.
func chain(t *testing.T) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder("chain")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, 4, 6, 6})
	w := b.Const("w", noise("w", tensor.Float32, tensor.Shape{4, 4, 1, 1}))
	attrs := op.Attrs{"kernel_shape": []int64{1, 1}, "strides": []int64{1, 1}, "pads": []int64{0, 0, 0, 0}, "dilations": []int64{1, 1}, "group": int64(1)}
	var err error
	for _, l := range []struct{ name, op string }{{"/a/Conv", "Conv"}, {"/b/Conv", "Conv"}, {"/c/Relu", "Relu"}} {
		if l.op == "Conv" {
			x, err = b.Op(l.name, l.op, attrs, x, w)
		} else {
			x, err = b.Op(l.name, l.op, nil, x)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b.Output("y", x)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestNames: times by the names of layers become rows; what is no layer is counted, and what may mean several is an error.
func TestNames(t *testing.T) {
	g := chain(t)
	m, err := hw.Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "f")
	const head = "layer name,time_us\n"
	for _, c := range []struct{ text, want string }{
		// rows: layer line time; then the note, or an error
		{head + "/a/Conv,2\n/c/Relu + /nowhere/Add,3\n", "/a/Conv 2 2us, /c/Relu 3 3us"},
		{head + "/a/Conv,2\n/b/Conv,4\n", "/a/Conv +1 2 3us"},
		{"Name,Average (ms),runs\n/a/Conv,0.5,1\n", "/a/Conv 2 500us"},
		{"name,duration_ns\n/a/Conv,1500\n/b/Conv,\n", "/a/Conv 2 1.5us"},
		{"\ufeffLayer,Time (µs)\n\"/a/Conv + /r\",7\n", "/a/Conv 2 7us"},
		{head + "\"PWN(PWN(/x/Sigmoid), /c/Relu)\",2\n", "/c/Relu 2 2us"},
		{head + "/c/Relu,1\nReformatting CopyNode for Input Tensor 0 to /a/Conv + /c/Relu,2\nz,1\n", `/c/Relu 2 1us; f: 2 of 3 names are no layers, with 75.0 % of the time: "Reformatting CopyNode for Input Tensor 0 to /a/Conv + /c/Relu", "z"`},
		{head + "a,1\n", `f: no name with a time is that of a layer of chain, such as "/a/Conv": "a"`},
		{head + "/a/Conv,0\n", "f: every name has a time of 0: more than 0 wanted"},
		{head + "/a/Conv + /b/Conv,1\n", `f:2: "/a/Conv + /b/Conv" is two layers of the model, "/a/Conv" and "/b/Conv": a time for each wanted`},
		{head + "/a/Conv,1\n/a/Conv + r,1\n", `f:3: "/a/Conv + r" is layer "/a/Conv", as the name in line 2 is: one time for a layer wanted`},
		{head + "/a/Conv,1_0\n", `f:2: "time_us": "1_0": a number of 0 or more, at most an hour, wanted`},
		{head + "/a/Conv,-1\n", `f:2: "time_us": "-1": a number of 0 or more, at most an hour, wanted`},
		{head + "/a/Conv\n", "f:2: 1 cells: 2 wanted, as the header has"},
		{"name,layer,ms\n", `f:1: columns "name" and "layer" both have names of layers: leave out one`},
		{"name,mean_ms,median_ms\n", `f:1: columns "mean_ms" and "median_ms" both have times with their unit: leave out one`},
		{"name,time\n", `f:1: no column has times with their unit, among "name,time": one such as time_us or average (ms) wanted`},
		{`[{"count": 10}, {"name": "/a/Conv + r", "timeMs": 20, "averageMs": 2, "medianMs": 1, "percentage": 9},` + "\n" + `{"name": "/c/Relu", "timeMs": 20}]`, "/a/Conv 1 1000us, /c/Relu 2 2000us"},
		{`[{"name": "/a/Conv", "averageMs": 2}]`, "/a/Conv 1 2000us"},
		{`[{"name": "/a/Conv", "timeMs": 2}]`, `f:1: entry 1, "/a/Conv": no time of a run: medianMs or averageMs wanted, or timeMs after a count of runs`},
		{`[{"name": "/a/Conv", "averageMs": "2"}]`, `f:1: entry 1, "/a/Conv": averageMs "2": milliseconds, 0 or more and at most an hour, wanted`},
		{"[\n{\"averageMs\": 2}]", "f:2: entry 1 has no name: a list of objects with name and averageMs, as trtexec --exportProfile writes it, wanted"},
		{"[\n{\"name\": 2,,}]", "f:2: entry 1: a list of objects with name and averageMs, as trtexec --exportProfile writes it, wanted"},
		{`{"name": "/a/Conv"}`, "f:1: a list of objects with name and averageMs, as trtexec --exportProfile writes it, wanted"},
		{`[{"name": "/a/Conv", "averageMs": 2}`, "f:1: the list has no end: a list of objects with name and averageMs, as trtexec --exportProfile writes it, wanted"},
		{"", "f:1: it is empty: the columns network,"},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		p, note, err := Load(file, m, g)
		got := ""
		if err == nil {
			var rows []string
			for _, r := range p.Rows {
				rows = append(rows, fmt.Sprintf("%s %d %vus", r.Layer, r.Line, float64(r.Time)/1e6))
			}
			if got = strings.Join(rows, ", "); note != "" {
				got += "; " + note
			}
		} else {
			got = err.Error()
		}
		got = strings.ReplaceAll(got, file, "f")
		if got != c.want && !(strings.HasSuffix(c.want, ",") && strings.HasPrefix(got, c.want)) {
			t.Errorf("%q:\n%s\nwanted:\n%s", c.text, got, c.want)
		}
		if _, _, err := Load(file, m, nil); err == nil {
			t.Errorf("%q is no table of kernels", c.text)
		}
	}
}

// FuzzNames: no text of times by name makes a time that is not one.
func FuzzNames(f *testing.F) {
	f.Add("name,ms\na,1\n")
	f.Add(`[{"count": 3}, {"name": "a", "timeMs": 1}]`)
	f.Fuzz(func(t *testing.T, text string) {
		n, ok, err := byName([]byte(text), "f")
		if err != nil || !ok {
			return
		}
		for _, x := range n.list {
			if x.time < 0 || x.time > longest || x.line < 1 {
				t.Errorf("%+v", x)
			}
		}
	})
}
