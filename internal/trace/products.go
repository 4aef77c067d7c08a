package trace

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"pimflow/internal/dram"
)

// products times products of matrices, M x K by K x N, on all channels of a machine of standard hbm-pim, without refreshes. It
// adds the columns ours_ns, program, split, and over, the ratio to the column best_ns. The rows of the first matrix are
// multiplied one after the other. Host reads of sums, and their addition where K is split, are not counted: UniNDP's times (HPCA
// 2025), which the table is made for, have none of them either.
func (s *Simulator) products(ctx context.Context) tableForm {
	ch := s.channel.Unrefreshed()
	return tableForm{productColumns, []string{"ours_ns", "program", "split", "over"}, nil, func(row tableRow) (map[string]string, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var n [3]int64
		for i, name := range productColumns {
			v, err := strconv.ParseInt(row.cell(name), 10, 64)
			if err != nil || v < 1 || v > maxProduct {
				return nil, fmt.Errorf("%s: %.80q: 1 to %d wanted", name, row.cell(name), maxProduct)
			}
			n[i] = v
		}
		than, given, err := bestNS(row)
		if err != nil {
			return nil, err
		}
		best := s.product(ch, n[0], n[1], n[2])
		ns := s.NS(best.cycles)
		out := map[string]string{"ours_ns": fmt.Sprintf("%.0f", ns), "program": best.program, "split": best.split, "over": ""}
		if given {
			out["over"] = fmt.Sprintf("%.3f", ns/than)
		}
		return out, nil
	}}
}

// bestNS is the cell of column best_ns; false: there is none.
func bestNS(row tableRow) (ns float64, given bool, err error) {
	text := row.cell("best_ns")
	if text == "" {
		return 0, false, nil
	}
	if ns, err = strconv.ParseFloat(text, 64); err != nil || !(1e-3 <= ns && ns <= 1e18) {
		return 0, false, fmt.Errorf("best_ns: %.80q: ns from 0.001 to 1e18 wanted, or nothing", text)
	}
	return ns, true, nil
}

// productColumns are the sides of a product.
var productColumns = []string{"M", "K", "N"}

// maxProduct bounds the sides of a product: its commands are written out. Estimated.
const maxProduct = 1 << 17

// placed is a program for a product on all channels.
type placed struct {
	cycles         dram.Cycle
	program, split string
}

// product is the fastest program, over both programs and the splits of K and N over the channels.
func (s *Simulator) product(ch *dram.Channel, m, k, n int64) (best placed) {
	best.cycles = math.MaxInt64
	channels := int64(s.Machine.Memory.Channels)
	for byK := int64(1); byK <= channels; byK++ {
		if channels%byK != 0 {
			continue
		}
		byN := channels / byK
		for _, p := range programs {
			w := &visitor{std: s.Standard, row: s.Machine.PIM.Access == "" || s.Machine.PIM.Access == "row", columns: int64(s.Machine.PIM.Columns())}
			p.write(w, m, (k+byK-1)/byK, (n+byN-1)/byN)
			if c := ch.Time(w.s).Cycles; c < best.cycles {
				best = placed{c, p.name, fmt.Sprintf("K/%d N/%d", byK, byN)}
			}
		}
	}
	return best
}

// The units of a channel, from PIMsim (7bvcxz/PIMsim, commit 5abe9cd): 8 units of 16 lanes, 8 vector registers of each kind
// and 8 scalars.
const units, lanes, registers = 8, 16, 8

// programs multiply a vector of K by a matrix of K x N.
var programs = []struct {
	name  string
	write func(w *visitor, m, k, n int64)
}{
	// A chunk of 128 inputs stands in vector registers; an output is a column of 16 weights after the other, and the host adds its lanes.
	{"inputs on lanes", func(w *visitor, m, k, n int64) {
		w.product(m, n, units*registers, func(outs int64) {
			sums := min(registers, (outs+units-1)/units)
			sumsToo := int64(registers) // are cleared with the first inputs
			for left := k; left > 0; left -= lanes * registers {
				cols := min(registers, (left+lanes-1)/lanes)
				w.registers(sumsToo + cols)
				sumsToo = 0
				w.access("RDAB", cols*sums)
			}
			w.access("WRAB", sums)
		})
	}},
	// A lane is an output, and 8 inputs are scalars.
	{"outputs on lanes", func(w *visitor, m, k, n int64) {
		w.product(m, n, units*lanes*registers, func(outs int64) {
			sums := min(registers, (outs+units*lanes-1)/(units*lanes))
			w.registers(sums) // cleared
			for left := k; left > 0; left -= registers {
				w.registers(1)
				w.access("RDAB", min(registers, left)*sums)
			}
			w.access("WRAB", sums)
		})
	}},
}

// visitor writes visits to rows.
type visitor struct {
	std     *dram.Standard
	s       dram.Stream
	row     bool  // registers are rows
	columns int64 // of a row
	open    int64 // columns of the open row that were accessed; 0: none is open
}

func (w *visitor) do(name string, times int64) {
	w.s = append(w.s, dram.Loop(int(times), dram.Do(dram.Command{Op: w.std.Op(name)})))
}

// product writes the change of mode, the program and its start, then blocks of outputs.
func (w *visitor) product(m, n, most int64, block func(outs int64)) {
	visit := func(name string, columns int64) {
		w.do("ACTAB", 1)
		w.do(name, columns)
		w.do("PREA", 1)
	}
	mode := func() { w.do("ACTMR", 1); w.do("PREMR", 1) }
	mode()
	visit("WRAB", 1)
	visit("WRAB", 1)
	from := len(w.s)
	for left := n; left > 0; left -= most {
		block(min(left, most))
		w.close()
	}
	body := w.s[from:]
	w.s = append(w.s[:from:from], dram.Loop(int(m), body...))
	mode()
}

func (w *visitor) close() {
	if w.open > 0 {
		w.do("PREA", 1)
		w.open = 0
	}
}

// registers writes so many registers of a kind, in one visit where they are rows.
func (w *visitor) registers(n int64) {
	if !w.row {
		w.do("WRREG", n)
		return
	}
	w.close()
	w.do("ACTAB", 1)
	w.do("WRAB", n)
	w.do("PREA", 1)
}

// access reads or writes so many columns of a new row, or of the open one.
func (w *visitor) access(name string, n int64) {
	if name == "WRAB" {
		w.close()
	}
	for n > 0 {
		if w.open == 0 {
			w.do("ACTAB", 1)
		}
		k := min(n, w.columns-w.open)
		w.do(name, k)
		if n, w.open = n-k, w.open+k; w.open == w.columns {
			w.close()
		}
	}
}
