package pim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// growth is the part by which a drawn layer may take longer with more of a resource or a shorter wait, and oftenSlower the part of the
// draws that may take longer than that, by worstGrowth of their machine at most. On newton where a refresh falls is estimated, and
// shorter waits change the order of writes; artifact has few mappings.
const (
	growth      = 0.01
	oftenSlower = 0.002
)

var worstGrowth = map[string]float64{"newton": 0.05, "aim": 0.005, "artifact": 0.12}

// smallSquare draws a layer that takes little time.
func smallSquare(r *rand.Rand, machine string) square {
	c := square{machine: machine, channels: 1 + r.IntN(17), in: 8 * (1 + r.IntN(60)), out: 4 * (1 + r.IntN(60)), size: 1 + r.IntN(14), kernel: 1, group: 1}
	if r.IntN(2) > 0 {
		c.kernel, c.in = 3, 4*(1+r.IntN(30))
	}
	return c
}

// TestMoreOfAResourceDrawn: drawn layers with two values of a resource that is drawn, too. cwl_ck is left out, which the rules subtract. With -long there are ten times as many draws, more than 7000.
func TestMoreOfAResourceDrawn(t *testing.T) {
	draws := 20
	if *long {
		draws = 200
	}
	r := rand.New(rand.NewPCG(1, 2))
	steps := map[string]int{"banks": 4, "buffer_elements": 16}
	n, slower := 0, 0
	for _, q := range resources {
		least, most := q.values[0], q.values[len(q.values)-1]
		falling := least > most
		least, most = min(least, most), min(max(least, most), 8*min(least, most))
		base, step := machineOf(t, q.machine), max(1, steps[q.key])
		for range draws {
			c := smallSquare(r, q.machine)
			l := c.layer(t).first()
			a, b := (least+r.IntN(most-least+1))/step*step, (least+r.IntN(most-least+1))/step*step
			if a == b {
				continue
			}
			if a > b != falling {
				a, b = b, a
			}
			var cycles [2]float64
			for i, v := range []int{a, b} {
				m, channels := *base, c.channels
				m.PIM.Timing = maps.Clone(base.PIM.Timing)
				q.set(t, &m, &channels, v)
				d, err := New(&m, channels)
				if err != nil {
					continue // what no DRAM could be
				}
				if best, _, err := d.(*Device).choose(l, d.(*Device).newScratch()); err == nil {
					cycles[i] = float64(best.elapsed)
				}
			}
			if cycles[0] == 0 || cycles[1] == 0 {
				continue
			}
			n++
			x := cycles[1]/cycles[0] - 1
			if x > growth {
				slower++
				t.Logf("%s: %s %d: %.0f cycles, %d: %.0f, %.2f %% more", fmt.Sprint(c), q.key, a, cycles[0], b, cycles[1], 100*x)
			}
			if x > worstGrowth[q.machine] {
				t.Errorf("%v: %s %d: %.0f cycles, %d: %.0f", c, q.key, a, cycles[0], b, cycles[1])
			}
		}
	}
	t.Logf("%d of %d slower by more than %g %%", slower, n, 100*growth)
	if n < 10*draws || float64(slower) > oftenSlower*float64(n) {
		t.Errorf("%d of %d draws are slower by more than %g %%", slower, n, 100*growth)
	}
}

// TestShorterChunks: chunks of 20 columns, of which one position of a 3x3 kernel needs a single one, are found though chunks of 59 fit
// a row, and though 30 columns need two.
func TestShorterChunks(t *testing.T) {
	m := machineOf(t, "newton")
	m.PIM.Buffer = 1008 * m.PIM.ElementSize()
	d, err := New(m, 1)
	if err != nil {
		t.Fatal(err)
	}
	c := square{machine: "newton", channels: 1, in: 104, out: 48, size: 1, kernel: 3, group: 1}
	best, _, err := d.(*Device).choose(c.layer(t).first(), d.(*Device).newScratch())
	if err != nil || best.slowest != 208 {
		t.Errorf("%v: %d cycles, 208 wanted: %v", best, best.slowest, err)
	}
}

// TestLateWrites: columns of a fill that are written behind results of its first pixels delay none, so that mappings with several buffers
// of a fill take as long as estimated.
func TestLateWrites(t *testing.T) {
	m := machineOf(t, "newton")
	m.PIM.Buffer = 2048 * m.PIM.ElementSize()
	dev, err := New(m, 16)
	if err != nil {
		t.Fatal(err)
	}
	d := dev.(*Device)
	layers, names := goldenLayers(t, 1)
	list, _ := d.scheme.candidates(layers[slices.Index(names, "mobilenet-v2 features.8.project@pim80")], d.newScratch())
	late := 0
	for i := range list {
		p := &list[i]
		x := &mapping{way: p.way, shares: make([]share, d.channels)}
		x.assign(x.shares)
		x.count()
		if took, _ := d.slowest(x, tooLate-1); float64(took) > 1.01*float64(p.cycles) {
			t.Errorf("%v takes %d cycles, %d estimated", x, took, p.cycles)
		}
		if f := &p.parts[0]; f.inputStationary && f.fillUnits > 1 {
			late++
		}
	}
	if late == 0 {
		t.Error("no mapping writes behind a result")
	}
}

// TestEstimates: what the estimate of a candidate is off, for golden layers on machines with and without refreshes: in the mean, and at most.
func TestEstimates(t *testing.T) {
	every := 37
	if *long {
		every = 3
	}
	layers, names := goldenLayers(t, every)
	for _, machine := range []string{"newton", "aim"} {
		for _, refreshed := range []bool{true, false} {
			m := machineOf(t, machine)
			if !refreshed {
				m = unrefreshed(m)
			}
			dev, err := New(m, 16)
			if err != nil {
				t.Fatal(err)
			}
			d := dev.(*Device)
			n, mean := 0, 0.0
			for i, l := range layers {
				list, _ := d.scheme.candidates(l, d.newScratch())
				for k := range list {
					p := &list[k]
					x := &mapping{way: p.way, shares: make([]share, d.channels)}
					x.assign(x.shares)
					x.count()
					took, _ := d.slowest(x, tooLate-1)
					off := float64(took)/float64(p.cycles) - 1
					n, mean = n+1, mean+max(off, -off)
					if off > 0.07 || off < -0.04 {
						t.Errorf("%s: %s: %v takes %d cycles, %d estimated", machine, names[i], x, took, p.cycles)
					}
				}
			}
			t.Logf("%s, refreshes %v: %d candidates, %.3f %% off in the mean", machine, refreshed, n, 100*mean/float64(n))
			if mean > map[string]float64{"newton": 0.004, "aim": 0.001}[machine]*float64(n) {
				t.Errorf("%s: estimates are %.3f %% off in the mean", machine, 100*mean/float64(n))
			}
		}
	}
}
