package pim

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/pim/unit"
	"pimflow/internal/tensor"
)

// programCodes are the codes of a cut, one for each program.
func programCodes(t fataler, m *hw.Machine, channels int, n net) (codes []*Code) {
	d, err := New(m, channels)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range d.(programmed) {
		c, err := d.Compile(n.g, n.g.Whole(n.id))
		if (d.program.turned || d.program.maps > 0) && errors.Is(err, device.ErrUnsupported) {
			continue
		}
		if err != nil {
			t.Fatal(fmt.Sprintf("%s: %v", d.program.name, err))
		}
		codes = append(codes, c.(*Code))
	}
	return codes
}

// TestPrograms: layers of several forms computed by the programs of units have the values of the operator where all numbers are whole,
// and their streams compute each product once.
func TestPrograms(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	none, one := []int64{0, 0, 0, 0}, []int64{1, 1, 1, 1}
	meter, err := NewMeter(machineOf(t, "hbm-pim"))
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]net{
		"3x3":        conv(t, r, tensor.Shape{1, 20, 6, 5}, 40, 1, 3, 1, 1, one, true),
		"pointwise":  conv(t, r, tensor.Shape{1, 150, 4, 4}, 300, 1, 1, 1, 1, none, false),
		"groups":     conv(t, r, tensor.Shape{1, 12, 7, 7}, 24, 3, 3, 2, 1, one, true),
		"depthwise":  conv(t, r, tensor.Shape{1, 16, 6, 6}, 16, 16, 3, 1, 1, one, false),
		"product":    build(t, "Gemm", op.Attrs{"transB": int64(1)}, numbers(r, tensor.Shape{1, 265}), numbers(r, tensor.Shape{1100, 265})),
		"long":       build(t, "Gemm", op.Attrs{"transB": int64(1)}, numbers(r, tensor.Shape{2, 1500}), numbers(r, tensor.Shape{10, 1500})),
		"one output": build(t, "Gemm", op.Attrs{"transB": int64(1)}, numbers(r, tensor.Shape{1, 3}), numbers(r, tensor.Shape{1, 3})),
	} {
		for _, channels := range []int{1, 3} {
			for _, code := range programCodes(t, machineOf(t, "hbm-pim"), channels, n) {
				what := fmt.Sprintf("%s on %d channels: %v", name, channels, code.best)
				want, got := tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape), tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
				n.g.Eval(n.g.Whole(n.id), n.in, want)
				if err := code.Eval(n.in, got); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(want.Floats(), got.Floats()) {
					t.Errorf("%s: other values", what)
				}
				if x, err := code.Replay(); err != nil || x.Commands == 0 {
					t.Errorf("%s: %+v: %v", what, x, err)
				}
				measured := int64(0)
				if err := code.Streams(func(c *ChannelStream) error {
					x, err := meter.Measure(c.Stream)
					measured += x.Bytes
					return err
				}); err != nil {
					t.Fatal(err)
				}
				bytes := pinBytes(code.mapped())
				if measured != bytes {
					t.Errorf("%s: %d bytes over the pins measured, %d in its streams", what, measured, bytes)
				}
				if code.Dynamic() {
					bytes += code.writtenBytes(code.mapped().layer)
				}
				if code.Cost().Bytes != bytes {
					t.Errorf("%s: %d bytes over the pins in its cost, %d in its streams and their banks", what, code.Cost().Bytes, bytes)
				}
				if did, firsts := code.Activity(), firstReads(code.mapped()); did.Firsts != firsts || firsts == 0 || did.Opened <= firsts {
					t.Errorf("%s: %d column reads are the first of a row, %d in its streams; %d rows are opened", what, did.Firsts, firsts, did.Opened)
				}
				for _, s := range code.mapped().perChannel() {
					if len(s) == 0 {
						continue
					}
					want, rows := written{}, code.device.scheme.rows(s)
					for row := rows.Lo; row < rows.Hi; row++ {
						x := code.device.scheme.rowWeights(code.best, s, row)
						outs := min(x.outs, (x.group+x.groups)*code.device.outputs) - x.group*code.device.outputs
						if n := outs * x.cols * x.copies; n > 0 {
							want.columns, want.rows = want.columns+n, want.rows+1
						}
					}
					if got := code.device.written(code.best, s); got != want {
						t.Errorf("%s: %+v written, want %+v", what, got, want)
					}
				}
				var text strings.Builder
				if err := code.Print(&text); err != nil {
					t.Fatal(err)
				}
				for _, s := range []string{"word 0: 0xa4", "EXIT", code.device.program.name, "ACTMR row=16382", "RDSB bank="} {
					if !strings.Contains(text.String(), s) {
						t.Errorf("%s: no %q in its text", what, s)
					}
				}
			}
		}
	}
}

// firstReads are the column reads of units that are the first of a row opened.
func firstReads(c *mappedCode) (n int64) {
	for _, s := range c.perChannel() {
		opened := false
		c.device.stream(s).Walk(func(k *dram.Command, _ []int) bool {
			switch c.device.ops.roles[k.Op] {
			case openRole:
				opened = true
			case compRole:
				if opened {
					n += unit.Units
				}
				opened = false
			}
			return true
		})
	}
	return n
}

// pinBytes are those that streams move over the pins: writes of registers, modes and programs, and reads of the host.
func pinBytes(c *mappedCode) (n int64) {
	for _, s := range c.perChannel() {
		if len(s) == 0 {
			continue
		}
		c.device.stream(s).Walk(func(k *dram.Command, index []int) bool {
			row := k.Row.At(index)
			if role := c.device.ops.roles[k.Op]; role == readRole || role == writeRole && row >= unit.DataRows {
				n += 32
			}
			return true
		})
	}
	return n
}

// nearest16 is the number of fp16 that is nearest, of two the even one.
func nearest16(v float64) float32 {
	near := tensor.ToFloat16(float32(v))
	best, off := float32(0), math.Inf(1)
	for _, b := range []uint16{near - 1, near, near + 1} {
		x := tensor.FromFloat16(b)
		if d := math.Abs(float64(x) - v); d < off || d == off && b&1 == 0 {
			best, off = x, d
		}
	}
	return best
}

// TestProgramOrder: values are those of sums in fp16, each product added with one rounding, in the order of K within a chunk: of each
// lane where inputs are on lanes. The judge's bounds hold.
func TestProgramOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	real := func(s tensor.Shape) *tensor.Tensor {
		v := make([]float32, s.Size())
		for i := range v {
			v[i] = tensor.Round(tensor.Float16, float32(r.NormFloat64()))
		}
		return tensor.Floats32(s, v)
	}
	const k, outs = 1200, 70
	n := build(t, "Gemm", op.Attrs{"transB": int64(1)}, real(tensor.Shape{2, k}), real(tensor.Shape{outs, k}))
	x, w := n.in[0].Floats(), n.in[1].Floats()
	for _, code := range programCodes(t, machineOf(t, "hbm-pim"), 2, n) {
		sums, got := code.NewSums(), tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
		if err := code.EvalSums(device.Evaluation{In: n.in, Sums: sums, Dst: got}); err != nil {
			t.Fatal(err)
		}
		if j := code.Judge(n.in, sums); j.Wrong != 0 || j.Compared != 2*outs {
			t.Errorf("%v: %+v, the first %+v", code.best, j, j.First)
		}
		d := code.device
		for at, v := range got.Floats() {
			row, out := at/outs, at%outs
			want := float32(0)
			for i := range code.best.parts {
				p := &code.best.parts[i]
				for chunk := range p.chunks {
					lo := (p.k0 + chunk*p.cols) * d.lanes
					hi := min(k, lo+p.cols*d.lanes)
					part := float32(0)
					for lane := range d.partial() {
						sum := float32(0)
						for i := lo + lane; i < hi; i += d.partial() {
							sum = nearest16(float64(w[out*k+i])*float64(x[row*k+i]) + float64(sum))
						}
						part += sum
					}
					want += part
				}
			}
			if v != want {
				t.Fatalf("%v: value %d is %v, want %v", code.best, at, v, want)
			}
		}
	}
}

// TestProgramEstimates: what is estimated of shares is near what they take in simulation.
func TestProgramEstimates(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	none, one := []int64{0, 0, 0, 0}, []int64{1, 1, 1, 1}
	for name, n := range map[string]net{
		"3x3":       conv(t, r, tensor.Shape{1, 64, 14, 14}, 64, 1, 3, 1, 1, one, false),
		"pointwise": conv(t, r, tensor.Shape{1, 96, 7, 7}, 320, 1, 1, 1, 1, none, false),
		"depthwise": conv(t, r, tensor.Shape{1, 64, 28, 28}, 64, 64, 3, 1, 1, one, false),
		"product":   build(t, "Gemm", op.Attrs{"transB": int64(1)}, numbers(r, tensor.Shape{1, 1280}), numbers(r, tensor.Shape{1000, 1280})),
	} {
		for access, most := range map[string]float64{"row": 0.03, "free-bus": 0.1} {
			m := machineOf(t, "hbm-pim")
			m.PIM.Access = access
			for _, code := range programCodes(t, m, 8, n) {
				c := code.mapped()
				s := c.perChannel()[0]
				got, want := float64(c.device.scheme.(*registers).estimate(s).cycles), float64(c.device.time(s).Cycles)
				if off := got/want - 1; math.Abs(off) > most {
					t.Errorf("%s, %s, %v: %.0f cycles estimated, %.0f simulated: %.1f %%", name, access, code.best, got, want, 100*off)
				}
			}
		}
	}
}

// TestUnitNumbers: numbers of the units are not those of another machine. No row that the units or the host use for something else holds weights.
func TestUnitNumbers(t *testing.T) {
	m := machineOf(t, "hbm-pim")
	for _, c := range []struct {
		key    string
		of     *int
		values []int
	}{
		{"mac_units", &m.PIM.Units, []int{0, 1, 7, 16, 64}}, {"buffer_bytes", &m.PIM.Buffer, []int{128, 512}},
		{"rows_per_bank", &m.PIM.Rows, []int{40, 16383, 32768}}, {"accumulators", &m.PIM.Sums, []int{4, 16}},
	} {
		was := *c.of
		for _, v := range c.values {
			*c.of = v
			want := fmt.Sprintf("machine hbm-pim: pim.%s is %d: %d wanted, that of the units", c.key, v, was)
			if _, err := New(m, 1); err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
		*c.of = was
	}
	each := machineOf(t, "newton")
	for units, want := range map[int]string{4: "machine newton: pim.mac_units is 4: 16 wanted, one at each bank", 16: "", 0: ""} {
		each.PIM.Units = units
		if _, err := New(each, 1); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	d, err := New(m, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range d.(programmed) {
		if free := m.PIM.Rows - d.rows; free != 7 || free != d.standard.Kept || d.ops.Reserved(d.rows-1) || !d.ops.Reserved(d.rows) {
			t.Errorf("%s: %d rows are kept from weights, want 7", d.program.name, free)
		}
	}
}
