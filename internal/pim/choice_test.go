package pim

import (
	"math/rand/v2"
	"testing"

	"pimflow/internal/hw"
	"pimflow/internal/tensor"
)

// TestChoice: no mapping that was simulated to its end is done sooner than the chosen one,
// or as soon with less energy, the link's time included. A slow link makes bytes decide.
func TestChoice(t *testing.T) {
	layers, linked := 0, 0
	for _, name := range []string{"artifact", "newton", "aim"} {
		for _, perByte := range []float64{2, 200} {
			m, err := hw.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			m.Link.PerByte = perByte
			for _, c := range []struct{ in, out, rows, kernel int64 }{{32, 192, 14, 1}, {192, 32, 14, 1}, {64, 64, 7, 3}, {16, 16, 28, 3}, {320, 1280, 7, 1}, {512, 10, 1, 1}} {
				pad := c.kernel / 2
				n := conv(t, rand.New(rand.NewPCG(1, 2)), tensor.Shape{1, int(c.in), int(c.rows), int(c.rows)}, int(c.out), 1, int(c.kernel), 1, 1, []int64{pad, pad, pad, pad}, false)
				dev, err := New(m, m.Memory.PIMChannels)
				if err != nil {
					t.Fatal(err)
				}
				d := dev.(*Device)
				l, err := lower(n.g, n.g.Whole(n.id))
				if err != nil {
					t.Fatal(err)
				}
				best, tried, err := d.choose(l, d.newScratch())
				if err != nil {
					t.Fatal(err)
				}
				layers++
				if best.elapsed > best.slowest {
					linked++
				}
				want := d.cost(best)
				for _, x := range tried {
					if x.beaten {
						continue
					}
					x.shares = make([]share, d.channels)
					x.assign(x.shares)
					got := d.cost(x)
					if x.elapsed < best.elapsed || x.elapsed == best.elapsed && got.Energy.Total().Value < want.Energy.Total().Value {
						t.Errorf("%s %v: %v takes %d cycles and %.0f pJ, the chosen %v %d and %.0f", name, c, x, x.elapsed, got.Energy.Total().Value, best, best.elapsed, want.Energy.Total().Value)
					}
				}
			}
		}
	}
	if linked == 0 || linked == layers {
		t.Errorf("the link decides %d of %d layers", linked, layers)
	}
}
