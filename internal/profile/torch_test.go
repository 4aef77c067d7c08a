package profile

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pimflow/internal/onnx"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

var long = flag.Bool("long", false, "also what PyTorch computes and measures, where a python3 has it")

// python returns a Python with PyTorch, or skips the test.
func python(t *testing.T) string {
	t.Helper()
	if !*long {
		t.Skip("-long asks a Python with PyTorch")
	}
	var why []string
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		out, err := exec.Command(name, "-c", Torch, "--help").CombinedOutput()
		if err == nil {
			return name
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		why = append(why, name+": "+lines[len(lines)-1])
	}
	t.Skip("no Python with the modules torch and onnx: ", strings.Join(why, "; "))
	return ""
}

// TestTorchValues: the operators that PyTorch executes are ONNX's.
func TestTorchValues(t *testing.T) {
	name, folder := python(t), "/usr/share/libonnx-testdata/data/node"
	if _, err := os.Stat(folder); err != nil {
		t.Skip(err)
	}
	out, err := exec.Command(name, "testdata/nodes.py", "pytorch_runner.py", folder).Output()
	if err != nil {
		t.Fatal(err)
	}
	ok := 0
	for line := range strings.Lines(string(out)) {
		switch {
		case strings.HasPrefix(line, "ok "):
			ok++
		case strings.HasPrefix(line, "wrong "):
			t.Error(line)
		}
	}
	if ok < 200 { // 240 of ONNX 1.12
		t.Errorf("%d node tests: more than 200 wanted\n%s", ok, out)
	}
}

// TestTorch: PyTorch measures a kernel with its epilogue, and says which models it does not measure.
func TestTorch(t *testing.T) {
	r, err := Start(t.Context(), time.Minute, python(t), "-c", Torch, "--device", "cpu", "--repeats", "3")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.On, "PyTorch ") || !strings.HasSuffix(r.On, ", float32") || r.Device != "cpu" {
		t.Errorf("%+v", r.Hello)
	}
	file := filepath.Join(t.TempDir(), "kernel.onnx")
	for _, c := range []struct{ name, err string }{{"Conv", ""}, {"Acos", "not measured by this runner: operator Acos"}} {
		o, err := op.Lookup(c.name)
		if err != nil {
			t.Fatal(err)
		}
		k := Kernel{Op: o, In: []Operand{{Shape: tensor.Shape{1, 8, 14, 14}}}, Out: tensor.Shape{1, 8, 14, 14}, Type: tensor.Float16}
		if c.err == "" {
			relu, err := op.Lookup("Relu")
			if err != nil {
				t.Fatal(err)
			}
			k.In = append(k.In, Operand{Shape: tensor.Shape{8, 8, 3, 3}, Const: true})
			k.Attrs = op.Attrs{"kernel_shape": []int64{3, 3}, "strides": []int64{1, 1}, "pads": []int64{1, 1, 1, 1}, "dilations": []int64{1, 1}, "group": int64(1)}
			k.Epilogue = []*op.Op{relu}
		}
		g, _, err := k.Alone(tensor.Float32)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := onnx.Write(f, g); err != nil {
			t.Fatal(err)
		}
		f.Close()
		a, err := r.Measure(file)
		switch {
		case c.err != "":
			if err == nil || err.Error() != c.err {
				t.Errorf("%s: %v: %s wanted", c.name, err, c.err)
			}
		case err != nil || a.Median < 100 || a.Repeats != 3: // no processor convolves in 100 ns
			t.Errorf("%s: %+v, %v", c.name, a, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Start(t.Context(), time.Minute, python(t), "-c", Torch, "--device", "cuda"); err == nil || !strings.Contains(err.Error(), "torch: --device cuda: ") {
		if exec.Command("nvidia-smi").Run() != nil {
			t.Error(err)
		}
	}
}
