package emit

import (
	"bufio"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/dram"
	"pimflow/internal/hw"
)

// TestExpand: a stream with cycles has the commands of all refreshes, with those that are due at its end.
func TestExpand(t *testing.T) {
	m, err := hw.Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	std, err := dram.Lookup(m.PIM.Standard)
	if err != nil {
		t.Fatal(err)
	}
	ch, err := std.New(dram.Timing(m.PIM.Timing))
	if err != nil {
		t.Fatal(err)
	}
	// Refreshes are served at a PREA only: here at the end.
	st := dram.Stream{dram.Loop(3000, dram.Do(dram.Command{Op: std.Op("READRES")}))}
	want, got := ch.Time(st).Issued, make([]int64, len(std.Ops))
	at := dram.Cycle(0)
	err = expand(ch, st, true, func(i *issue) error {
		if got[i.op]++; i.at <= at || (i.command == nil) != (i.op == std.Refresh.Do) {
			t.Fatalf("%+v after cycle %d", i, at)
		}
		at = i.at
		return nil
	})
	if diff := cmp.Diff(want, got); err != nil || diff != "" || want[std.Refresh.Do] == 0 {
		t.Error(err, diff)
	}
}

// TestRequests: columns of a row that follow each other are one instruction; those of another row, from another one on, or for another
// accumulator are not.
func TestRequests(t *testing.T) {
	var text strings.Builder
	out := bufio.NewWriter(&text)
	w := instructions{to: out, mask: 1, lanes: 16}
	for _, k := range []struct {
		name                        string
		row, column, sum, buf, data int64
	}{
		{name: "WRGB", buf: 0, data: 32}, {name: "WRGB", buf: 1, data: 48}, {name: "WRGB", buf: 2, data: 16},
		{name: "ACT16"}, {name: "MAC16", row: 3, column: 4}, {name: "MAC16", row: 3, column: 5}, {name: "MAC16", row: 4, column: 6},
		{name: "MAC16", row: 4, column: 8}, {name: "MAC16", row: 4, column: 9, sum: 1}, {name: "PREA"},
		{name: "RDMAC16", data: 16}, {name: "RDMAC16", data: 32},
	} {
		base := func(n int64) dram.Affine { return dram.Affine{Base: n} }
		c := dram.Command{Row: base(k.row), Col: base(k.column), Acc: base(k.sum), Buf: base(k.buf), Data: base(k.data)}
		if err := w.request(k.name, &issue{command: &c}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	out.Flush()
	want := "AiM WR_GB 2 2 0x1\nAiM WR_GB 1 1 0x1\nAiM MAC_ABK 2 0x1 3\nAiM MAC_ABK 1 0x1 4\nAiM MAC_ABK 1 0x1 4\nAiM MAC_ABK 1 0x1 4\nAiM RD_MAC 1 0x1\nAiM RD_MAC 2 0x1\n"
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Error(diff)
	}
}
