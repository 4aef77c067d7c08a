package calibrate

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pimflow/internal/hw"
)

func load(t *testing.T) (*Measured, []*hw.Board) {
	var m Measured
	files, _ := filepath.Glob("/work/shared/data/gpu/*_dev.csv")
	for _, f := range files {
		r, err := os.Open(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Read(filepath.Base(f), r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	var bs []*hw.Board
	for _, n := range hw.BoardNames() {
		b, err := hw.LoadBoard(n)
		if err != nil {
			t.Fatal(err)
		}
		bs = append(bs, b)
	}
	return &m, bs
}

func (c *Calibration) show(chosen bool) {
	for _, s := range c.Sets {
		out := make([]float64, len(s.kernels))
		meas := make([]float64, len(s.kernels))
		if len(s.kernels) == 0 {
			fmt.Printf("%-28s left %d %s\n", s.Name, len(s.Left), s.Why)
			continue
		}
		predictor{c.boards}.predict(s, chosen, out)
		for i := range s.kernels {
			meas[i] = s.kernels[i].row.US
		}
		sc := score(out, meas)
		fmt.Printf("%-28s n %3d left %2d mape %5.1f bias %+5.1f rho %.3f %v\n", s.Name, sc.N, len(s.Left), 100*sc.MAPE, 100*sc.Bias, sc.Spearman, s.Fitted)
	}
}

func TestExplore(t *testing.T) {
	m, bs := load(t)
	var t4 *hw.Board
	for _, b := range bs {
		if b.Name == "t4" {
			t4 = b
		}
	}
	c := New(t4, bs, m.Rows)
	c.show(false)
	c.show(true)
	gs := graphs{}
	nets := func() {
		for _, s := range networkSets(m.Networks) {
			var p, q []float64
			for _, n := range s.rows {
				us, k, err := gs.kernels(c.boards["t4"].Machine(2), n.Name)
				if err != nil {
					t.Fatal(err)
				}
				t0 := c.boards["t4"].Start[s.start]
				p, q = append(p, us+t0*float64(k)), append(q, n.US)
				fmt.Printf("   %s %s %.0f %d: %.0f  %+.1f\n", s.name, n.Name, us, k, n.US, 100*(p[len(p)-1]/n.US-1))
			}
			sc := score(p, q)
			fmt.Printf("%-28s n %3d mape %5.1f bias %+5.1f rho %.3f\n", s.name, sc.N, 100*sc.MAPE, 100*sc.Bias, sc.Spearman)
		}
	}
	nets()
	var fitted []*Set
	for _, s := range c.Sets {
		if s.Fitted && len(s.kernels) > 0 && s.Name != "T4 int8 gemm" {
			fitted = append(fitted, s)
		}
	}
	at := c.coordinates(fitted)
	sol := c.fit(fitted, at)
	for i, a := range at {
		fmt.Printf("%-30s %-10s %12.5f +- %.1f %%\n", a.path, a.board, sol.x[i], 100*sol.sigma[i])
	}
	fmt.Println(sol.cost)
	c.show(false)
	c.show(true)
}
