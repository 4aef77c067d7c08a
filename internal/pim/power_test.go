package pim

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pimflow/internal/dram"
	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// TestPowerLimit: at the power that multiplying takes at tCCD a limit changes nothing; half of it
// doubles the distance of COMPs, under the engine, the referee and the check alike. On aim the
// power is 1314 mW, that of CENT's account of an all-bank MAC.
func TestPowerLimit(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(5, 6)), tensor.Shape{1, 64, 5, 5}, 40, 1, 3, 1, 1, []int64{1, 1, 1, 1}, false)
	for _, machine := range []string{"artifact", "newton", "aim", "lpddr5-aim", "toy"} {
		m := machineOf(t, machine)
		free := compile(t, m, 2, n.g, n.g.Whole(n.id))
		ccd := m.PIM.Cadence()
		watts := 1e3 * m.PIM.MACEnergy() / m.ColumnPS() // mW
		if machine == "aim" && (watts < 1313.9 || watts > 1314.1) {
			t.Errorf("aim multiplies with %.1f mW: 1314 wanted", watts)
		}
		m.PIM.Limit = watts
		if at := compile(t, m, 2, n.g, n.g.Whole(n.id)); m.PIM.Cadence() != ccd || at.Cost().Time != free.Cost().Time {
			t.Errorf("%s: a column each %d cycles and %v at its own power, %d and %v without a limit", machine, m.PIM.Cadence(), at.Cost().Time, ccd, free.Cost().Time)
		}
		for _, c := range []struct {
			share float64 // of the power
			want  int64   // cycles
		}{{0.5, 2 * ccd}, {0.25, 4 * ccd}, {0.99, ccd + 1}} {
			m.PIM.Limit = c.share * watts
			code := compile(t, m, 2, n.g, n.g.Whole(n.id))
			d := code.device
			if got := int64(d.channel.Wait(d.ops.Comp[0], d.ops.Comp[0])); got != c.want || m.PIM.Cadence() != c.want {
				t.Errorf("%s at %.2f of its power: COMPs %d cycles apart, cadence %d: %d wanted", machine, c.share, got, m.PIM.Cadence(), c.want)
			}
			if code.Cost().Stream <= free.Cost().Stream {
				t.Errorf("%s at %.2f of its power: %d cycles, %d without a limit", machine, c.share, code.Cost().Stream, free.Cost().Stream)
			}
			if r, err := code.Replay(); err != nil || r.Timed == 0 {
				t.Errorf("%s at %.2f of its power: %+v, %v", machine, c.share, r, err)
			}
			for _, s := range code.perChannel() {
				st := d.stream(s)
				slow, err := d.standard.Referee(d.timing, st)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(slow, d.channel.Time(st)); diff != "" {
					t.Errorf("%s at %.2f of its power: referee and engine differ: %s", machine, c.share, diff)
				}
			}
		}
		// The check without the limit's rule accepts what the rule forbids.
		std, err := dram.Lookup(m.PIM.Standard)
		if err != nil {
			t.Fatal(err)
		}
		m.PIM.Limit = watts / 2
		limited, err := Standard(m)
		if err != nil {
			t.Fatal(err)
		}
		comp := free.device.ops.Comp[0]
		for _, c := range []struct {
			std *dram.Standard
			ok  bool
		}{{std, true}, {limited, false}} {
			check, err := c.std.NewCheck(dram.Timing(m.PIM.Timing))
			if err != nil {
				t.Fatal(err)
			}
			at := dram.Cycle(1)
			var ops []dram.Op
			for _, o := range append(free.device.ops.Open, comp) {
				for _, l := range std.Leads {
					if l.Before == o {
						ops = append(ops, l.Issue)
					}
				}
				ops = append(ops, o)
			}
			for _, o := range ops {
				if err := check.Issue(o, at); err != nil {
					t.Fatalf("%s: %v", machine, err)
				}
				at += 1000
			}
			at -= 1000
			if err := check.Issue(comp, at+dram.Cycle(ccd)); (err == nil) != c.ok {
				t.Errorf("%s: two COMPs %d cycles apart, limited %v: %v", machine, ccd, !c.ok, err)
			}
		}
	}
}

// TestPowerLimitKept: under any limit streams mean and take what they should.
func TestPowerLimitKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := anyConv(t), anyMachine(t)
		m.PIM.Limit = 1e3 * m.PIM.MACEnergy() / m.ColumnPS() / rapid.Float64Range(0.5, 8).Draw(t, "slower")
		code := compile(t, m, anyChannels(t), n.g, graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)})
		if _, err := code.Replay(); err != nil {
			t.Fatal(err)
		}
		if floor := code.LowerBound(); int64(floor.Cycles()) > code.Cost().Ticks {
			t.Fatalf("floor %+v, %d cycles", floor, code.Cost().Ticks)
		}
	})
}
