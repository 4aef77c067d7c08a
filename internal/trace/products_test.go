package trace

import (
	"strings"
	"testing"

	"pimflow/internal/hw"
)

// TestProducts: the fastest program and split of products by a vector, beside UniNDP's times (HPCA 2025), and with registers that are rows.
func TestProducts(t *testing.T) {
	for access, want := range map[string]string{
		"column": `M,K,N,best_ns,ours_ns,program,split,over
1,4096,4096,10312,10295,outputs on lanes,K/8 N/8,0.998
1,8192,4096,20616,20343,outputs on lanes,K/8 N/8,0.987
1,1024,8192,5160,5271,outputs on lanes,K/4 N/16,1.022
1,2048,2048,2584,2759,outputs on lanes,K/16 N/4,1.068
1,25088,4096,63120,61791,outputs on lanes,K/8 N/8,0.979
2,4096,4096,,20407,outputs on lanes,K/8 N/8,
`,
		"row": `M,K,N,best_ns,ours_ns,program,split,over
1,4096,4096,10312,11987,outputs on lanes,K/16 N/4,1.162
1,8192,4096,20616,23635,outputs on lanes,K/16 N/4,1.146
1,1024,8192,5160,6163,outputs on lanes,K/8 N/8,1.194
1,2048,2048,2584,3251,outputs on lanes,K/32 N/2,1.258
1,25088,4096,63120,71683,outputs on lanes,K/16 N/4,1.136
2,4096,4096,,23791,outputs on lanes,K/16 N/4,
`,
	} {
		m, err := hw.Load("hbm-pim")
		if err == nil {
			m, err = m.Set("pim.reg_access=" + access)
		}
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(m, false)
		if err != nil {
			t.Fatal(err)
		}
		var table, got strings.Builder
		for _, line := range strings.Split(strings.TrimSpace(want), "\n") {
			table.WriteString(strings.Join(strings.Split(line, ",")[:4], ",") + "\n")
		}
		if err := s.ModelTable(t.Context(), "-", strings.NewReader(table.String()), &got, nil); err != nil {
			t.Fatal(err)
		}
		if got.String() != want {
			t.Errorf("%s: %s", access, got.String())
		}
	}
}

// TestPrograms: what a channel takes for parts of products, by hand (the sums of row visits): both programs, with registers that are rows.
func TestPrograms(t *testing.T) {
	m, err := hw.Load("hbm-pim")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(m, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		k, n int64
		row  [2]int64 // by program
		slot [2]int64
	}{
		{1024, 256, [2]int64{13167, 18595}, [2]int64{11119, 10349}},
		{4096, 64, [2]int64{12837, 57115}, [2]int64{10789, 0}},
		{64, 4096, [2]int64{0, 12455}, [2]int64{0, 10615}},
		{1024, 1024, [2]int64{52119, 46931}, [2]int64{43927, 40471}},
		{256, 64, [2]int64{1077, 3835}, [2]int64{949, 1513}},
	} {
		for i, p := range programs {
			for row, want := range map[bool]int64{true: c.row[i], false: c.slot[i]} {
				w := &visitor{std: s.Standard, row: row, columns: 32}
				p.write(w, 1, c.k, c.n)
				if got := int64(s.channel.Unrefreshed().Time(w.s).Cycles); got != want && want > 0 {
					t.Errorf("%s, %d x %d, registers are rows: %v: %d ticks, %d wanted", p.name, c.k, c.n, row, got, want)
				}
			}
		}
	}
}
