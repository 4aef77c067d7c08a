package pim

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// goldenLayers are every n-th layer of docs/newton-layers.csv, without values, and their names.
func goldenLayers(t *testing.T, n int) (all []*layer, names []string) {
	f, err := os.Open("../../docs/newton-layers.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(rows); i += n {
		var v [9]int // in, out, height, width, kernel, padding, stride
		for k := range v {
			if v[k], err = strconv.Atoi(rows[i][2+k]); err != nil {
				t.Fatal(err)
			}
		}
		b := graph.NewBuilder("test")
		x := b.Input("x", tensor.Float32, tensor.Shape{1, v[0], v[2], v[3]})
		w := b.Const("w", tensor.Lazy(tensor.Float32, tensor.Shape{v[1], v[0], v[4], v[5]}, func() ([]float32, []int64) { panic("values") }))
		kernel, pad, stride := []int64{int64(v[4]), int64(v[5])}, []int64{int64(v[6]), int64(v[7])}, int64(v[8])
		y, err := b.Op("y", "Conv", op.Attrs{
			"group": int64(1), "kernel_shape": kernel, "strides": []int64{stride, stride}, "dilations": []int64{1, 1}, "pads": append(pad, pad...),
		}, x, w)
		if err != nil {
			t.Fatal(err)
		}
		b.Output("y", y)
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		l, err := lower(g, g.Whole(y))
		if err != nil {
			t.Fatal(err)
		}
		all, names = append(all, l.first()), append(names, rows[i][0]+" "+rows[i][1])
	}
	return all, names
}

// resource is a number of a machine, and values of it: each is more of a resource, or a shorter wait, than
// the one before.
type resource struct {
	machine, key string
	values       []int
	worst        float64 // times as many cycles as with less, at most
}

// set changes the machine, or the number of its channels.
func (r *resource) set(t *testing.T, m *hw.Machine, channels *int, v int) {
	p := &m.PIM
	switch r.key {
	case "buffer_elements":
		p.Buffer = v * p.ElementSize()
	case "buffers":
		p.Buffers = v
	case "columns_per_row":
		p.Row = v * p.Column
	case "rows":
		p.Rows = v
	case "banks":
		p.Banks = v
	case "lanes": // a row and a buffer have as many columns
		reshape(p, p.Format, v, p.Columns(), p.Buffer/p.Column*v)
	case "accumulators":
		p.Sums = v
	case "channels":
		*channels = v
	default:
		if _, ok := p.Timing[r.key]; !ok {
			t.Fatalf("%s: no timing parameter %s", r.machine, r.key)
		}
		p.Timing[r.key] = int64(v)
	}
}

// resources are what is known of golden layers: where worst is 1, none is slower with more. cl_ck and rtw_ck decide where a mapping
// writes, and a write that comes earlier may delay a result by a cycle or two. Elsewhere worst is what estimates leave open (slack, beyond).
var resources = []resource{
	{"newton", "rows", []int{4, 8, 64, 16384}, 1},
	{"newton", "banks", []int{8, 16, 32}, 1},
	{"newton", "bl_ck", []int{5, 3, 2}, 1.001},
	{"newton", "ccds_ck", []int{5, 3, 2}, 1},
	{"newton", "ras_ck", []int{79, 54, 53}, 1},
	{"newton", "rc_ck", []int{118, 80, 79}, 1},
	{"newton", "rrd_ck", []int{15, 11, 10}, 1},
	{"newton", "rfc_ck", []int{276, 185, 184}, 1},
	{"newton", "buffer_elements", []int{128, 256, 384, 512, 1024, 2048}, 1.001},
	{"newton", "buffers", []int{1, 2, 3, 4}, 1},
	{"newton", "columns_per_row", []int{32, 64, 96, 128, 256}, 1},
	{"newton", "lanes", []int{8, 16, 32}, 1},
	{"newton", "channels", []int{4, 8, 12, 15, 16, 17, 24, 32}, 1},
	{"newton", "cl_ck", []int{33, 23, 22}, 1.006},
	{"newton", "wtr_ck", []int{12, 9, 8}, 1},
	{"newton", "rtw_ck", []int{7, 5, 4}, 1.007},
	{"newton", "rcdr_ck", []int{33, 23, 22}, 1},
	{"newton", "faw_ck", []int{51, 35, 34}, 1},
	{"newton", "rtp_ck", []int{7, 5, 4}, 1},
	{"newton", "rp_ck", []int{39, 27, 26}, 1},

	{"aim", "banks", []int{8, 16, 32}, 1},
	{"aim", "bl_ck", []int{5, 3, 2}, 1},
	{"aim", "ccds_ck", []int{5, 3, 2}, 1},
	{"aim", "ccdl_ck", []int{5, 3, 2}, 1},
	{"aim", "ras_ck", []int{81, 55, 54}, 1},
	{"aim", "rc_ck", []int{133, 90, 89}, 1},
	{"aim", "rtp_ck", []int{18, 13, 12}, 1},
	{"aim", "rfc_ck", []int{315, 211, 210}, 1},
	{"aim", "modch_ck", []int{48, 33, 32}, 1},
	{"aim", "buffer_elements", []int{128, 256, 384, 512, 1024, 2048}, 1},
	{"aim", "columns_per_row", []int{32, 64, 96, 128, 256}, 1},
	{"aim", "rows", []int{4, 8, 64, 16384}, 1},
	{"aim", "lanes", []int{8, 16, 32}, 1},
	{"aim", "channels", []int{4, 8, 12, 15, 16, 17, 24, 32}, 1.002},
	{"aim", "accumulators", []int{1, 2, 3, 4, 8, 16, 32}, 1},
	{"aim", "rp_ck", []int{48, 33, 32}, 1},

	{"artifact", "buffer_elements", []int{128, 256, 384, 512, 1024, 2048}, 1},
	{"artifact", "columns_per_row", []int{32, 64, 96, 128, 256}, 1},
	{"artifact", "rows", []int{64, 16384}, 1},
	{"artifact", "banks", []int{8, 16, 32}, 1},
	{"artifact", "channels", []int{4, 8, 12, 15, 16, 17, 24, 32}, 1},
	{"artifact", "lanes", []int{8, 16, 32}, 1},
}

// TestMoreOfAResource: golden layers are not slower with more of a resource or a shorter wait than resources
// says. With -long all of them are compared, else some.
func TestMoreOfAResource(t *testing.T) {
	every := 31
	if *long {
		every = 1
	}
	layers, names := goldenLayers(t, every)
	for _, r := range resources {
		var before []float64
		n, worst, where := 0, 1.0, ""
		for i, v := range r.values {
			m, channels := machineOf(t, r.machine), 16
			r.set(t, m, &channels, v)
			dev, err := New(m, channels)
			if err != nil {
				t.Fatal(err)
			}
			d := dev.(*Device)
			now, memory := make([]float64, len(layers)), d.newScratch()
			for k, l := range layers {
				if best, _, err := d.choose(l, memory); err == nil { // otherwise its weights do not fit
					now[k] = float64(best.elapsed)
				}
				if i == 0 || before[k] == 0 {
					continue
				}
				if now[k] == 0 {
					t.Errorf("%s: %s fits with %s %d, and not with %d", r.machine, names[k], r.key, r.values[i-1], v)
				}
				if now[k] > before[k] {
					n++
				}
				if x := now[k] / before[k]; x > worst {
					worst, where = x, fmt.Sprintf("%s: %s %d: %.0f cycles, %d: %.0f", names[k], r.key, r.values[i-1], before[k], v, now[k])
				}
			}
			before = slices.Clone(now)
		}
		t.Logf("%s, %s: %d slower, at most %.4f times %s", r.machine, r.key, n, worst, where)
		if worst > r.worst {
			t.Errorf("%s: %s: %.4f times, at most %.3f wanted", r.machine, where, worst, r.worst)
		}
	}
}
