package ortcheck

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/tensor"
)

const defaultDraws, defaultSeed = 100, 1

var (
	draws = flag.Int("draws", defaultDraws, "models drawn of each operator, at least")
	seed  = flag.Uint64("seed", defaultSeed, "of the models drawn")
)

// generator draws a model of one operator: its opset, inputs and attributes.
type generator struct {
	op   string
	draw func(*model)
}

// TestOperators draws models of each operator and compares three results: of
// pimflow, of ONNX Runtime, and of ONNX Runtime for the model as pimflow writes
// it. Models that either refuses are failures, unless listed in deviations.
func TestOperators(t *testing.T) {
	dir := t.TempDir()
	var compared, deviated, values int
	met := make([]int, len(deviations))
	operators := 0
	for _, group := range groups {
		for _, g := range group.generators {
			operators++
			t.Run(g.op, func(t *testing.T) {
				n, ran, worst := group.times**draws, 0, 0.0
				for i := range n {
					m := draw(g, i)
					o := check(dir, m)
					if k := deviation(m, o); k >= 0 {
						met[k]++
						deviated++
						continue
					}
					if o.err != nil {
						t.Errorf("model %d: %v: %v", i, m, o.err)
						continue
					}
					ran++
					worst = max(worst, o.worst)
					values += o.values
				}
				if ran == 0 && !t.Failed() {
					t.Error("nothing was compared")
				}
				compared += ran
				t.Logf("%-22s %d of %d models compared, largest difference %.1e of the largest magnitude", g.op, ran, n, worst)
			})
		}
	}
	t.Logf("%d models of %d operators compared, %d values; %d models deviate as listed", compared, operators, values, deviated)
	for k, n := range met {
		t.Logf("%4d %s: %s", n, strings.Join(deviations[k].ops, ", "), deviations[k].why)
		if n == 0 && *seed == defaultSeed && *draws == defaultDraws && !filtered() {
			t.Errorf("no model of %s deviates with %q any more", strings.Join(deviations[k].ops, ", "), deviations[k].says)
		}
	}
}

// filtered reports whether -run leaves operators out.
func filtered() bool {
	f := flag.Lookup("test.run")
	return f != nil && strings.Contains(f.Value.String(), "/")
}

// draw draws model i of a generator, the same for the same seed.
func draw(g generator, i int) *model {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", g.op, i)
	m := &model{op: g.op, outputs: []string{"y"}, Rand: rand.New(rand.NewPCG(*seed, h.Sum64()))}
	m.opset = m.between(oldest, newest)
	g.draw(m)
	if len(m.names) == 0 { // the binding wants an input
		m.names, m.inputs = []string{"unused"}, []*tensor.Tensor{m.floats(1)}
	}
	return m
}

// The opsets drawn, unless an operator says otherwise: 7 is the oldest that
// pimflow and ONNX Runtime know.
const oldest, newest = 7, 22

// since draws an opset from the given one on.
func (m *model) since(opset int) { m.opset = m.between(opset, newest) }

// outcome is what the comparison of a model found.
type outcome struct {
	err    error
	worst  float64
	values int
}

// check compares one model.
func check(dir string, m *model) outcome {
	model := m.encode()
	want, theirs := onnxRuntime(model, m.names, m.inputs, m.outputs)
	f, ours := read(dir, model)
	if ours == nil {
		defer f.Close()
	}
	switch {
	case theirs != nil && ours != nil:
		return outcome{err: fmt.Errorf("both refuse it: ONNX Runtime: %v; pimflow: %v", theirs, ours)}
	case theirs != nil:
		return outcome{err: fmt.Errorf("ONNX Runtime refuses it: %v", theirs)}
	case ours != nil:
		return outcome{err: fmt.Errorf("pimflow refuses it: %v", ours)}
	}
	g, err := sized(f, m.inputs)
	if err != nil {
		return outcome{err: err}
	}
	got, err := reference(g, m.inputs)
	if err != nil {
		return outcome{err: err}
	}
	worst, err := differ(m.within(got, want), want, m.magnitude())
	if err != nil {
		return outcome{err: err}
	}
	if model, err = encoded(g); err != nil {
		return outcome{err: fmt.Errorf("writing it: %w", err)}
	}
	again, err := onnxRuntime(model, m.names, m.inputs, m.outputs)
	if err != nil {
		return outcome{err: fmt.Errorf("written again, ONNX Runtime refuses it: %w", err)}
	}
	if _, err = differ(m.within(again, want), want, m.magnitude()); err != nil {
		return outcome{err: fmt.Errorf("written again: %w", err)}
	}
	return outcome{worst: worst, values: len(want) * want[0].Shape.Size()}
}

// deviation is the row of deviations that a model's outcome falls under, or -1.
func deviation(m *model, o outcome) int {
	if o.err == nil {
		return -1
	}
	for k, r := range deviations {
		if slices.Contains(r.ops, m.op) && r.is(m) && strings.Contains(o.err.Error(), r.says) {
			return k
		}
	}
	return -1
}
