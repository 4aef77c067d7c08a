package emit_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pimflow"
	"pimflow/internal/dram"
	"pimflow/internal/dram/aimhost"
	"pimflow/internal/emit"
	"pimflow/internal/files"
	"pimflow/internal/hw"
	"pimflow/internal/pim"
)

var long = flag.Bool("long", false, "also take the streams of every network around on every machine")

// source is a plan of the network toy, of which much is on the PIM.
func source(t testing.TB, machine string) emit.Source {
	return sourceOf(t, "toy", machine, "by-operator")
}

// sourceOf is openSource, which is kept.
func sourceOf(t testing.TB, network, machine, policy string) emit.Source {
	t.Helper()
	sources.Lock()
	defer sources.Unlock()
	if s, ok := sources.of[network+machine]; ok {
		return s
	}
	if sources.of == nil {
		sources.of = map[string]emit.Source{}
	}
	src := openSource(t, network, machine, policy)
	sources.of[network+machine] = src
	return src
}

// openSource plans a network.
func openSource(t testing.TB, network, machine, policy string, set ...string) emit.Source {
	t.Helper()
	s, err := pimflow.Open(context.Background(), network, pimflow.Options{Machine: machine, Set: set})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan(context.Background(), pimflow.Search{Policy: policy, Effort: "low"})
	if err != nil {
		t.Fatal(err)
	}
	values, err := s.InternalValues()
	if err != nil {
		t.Fatal(err)
	}
	g, m, _, _ := s.Internal()
	return emit.Source{Values: values, Model: g.Name, Machine: m, Timeline: p.Internal().Timeline, Print: p.Print}
}

var sources struct {
	sync.Mutex
	of map[string]emit.Source
}

func written(t testing.TB, machine string, o emit.Options) (folder string, man *emit.Manifest) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "out")
	man, err := emit.Folder(t.Context(), folder, source(t, machine), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return folder, man
}

func parts(t testing.TB, machine string) (*hw.Machine, *dram.Standard, *dram.Channel, *pim.Commands) {
	t.Helper()
	m := source(t, machine).Machine
	std, err := pim.Standard(m)
	if err != nil {
		t.Fatal(err)
	}
	ch, err := std.New(dram.Timing(m.PIM.Timing))
	if err != nil {
		t.Fatal(err)
	}
	ops, err := pim.NewCommands(std)
	if err != nil {
		t.Fatal(err)
	}
	return m, std, ch, ops
}

// TestStreams: what is written is read, and takes the cycles of the manifest, which are those of the plan.
func TestStreams(t *testing.T) {
	for _, machine := range pim.Machines() {
		folder, man := written(t, machine, emit.Options{Format: "pimflow", Gzip: machine == "aim"})
		_, _, ch, ops := parts(t, machine)
		if len(man.Steps) < 4 {
			t.Errorf("%s: %d steps", machine, len(man.Steps))
		}
		for _, s := range man.Steps {
			slowest := dram.Cycle(0)
			for _, c := range s.Channels {
				f, err := os.Open(filepath.Join(folder, c.File))
				if err != nil {
					t.Fatal(err)
				}
				st, err := ops.ParseStream(c.File, f)
				if err != nil {
					t.Fatal(err)
				}
				f.Close()
				r := ch.Time(st)
				slowest = max(slowest, r.Cycles)
				if int64(r.Cycles) != c.Last || c.Bare > c.Last || c.First < 1 {
					t.Errorf("%s: %d cycles, %+v", machine, r.Cycles, c)
				}
				for op, n := range c.Issued {
					if n.N != r.Issued[op] {
						t.Errorf("%s: %s: %d commands %s, %d wanted", machine, c.File, n.N, n.Kind, r.Issued[op])
					}
				}
				st.Walk(func(k *dram.Command, index []int) bool {
					if row := int(k.Row.At(index)); ops.Has(k.Op, "row") && !ops.Reserved(row) && (row < c.Rows[0] || row >= c.Rows[1]) {
						t.Errorf("%s: %s: row %d outside of %v", machine, c.File, row, c.Rows)
						return false
					}
					return true
				})
			}
			code := source(t, machine).Timeline.Program.Steps[s.Step].Code.Cost()
			if int64(slowest) != code.Stream || s.Slowest != code.Stream {
				t.Errorf("%s: step %d takes %d cycles, %d in its cost", machine, s.Step, slowest, code.Stream)
			}
		}
	}
}

// TestTimed: the cycles that are written keep all rules, the last is followed by the last result, and both formats have the
// same commands.
func TestTimed(t *testing.T) {
	for _, machine := range pim.Machines() {
		folder, man := written(t, machine, emit.Options{Format: "csv", Timed: true})
		lines, _ := written(t, machine, emit.Options{Format: "pimflow", Timed: true})
		m, std, _, _ := parts(t, machine)
		for _, s := range man.Steps {
			for _, c := range s.Channels {
				f, err := os.Open(filepath.Join(folder, c.File))
				if err != nil {
					t.Fatal(err)
				}
				rows, err := csv.NewReader(f).ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				f.Close()
				text, err := os.ReadFile(filepath.Join(lines, strings.TrimSuffix(c.File, "csv")+"pim"))
				if err != nil {
					t.Fatal(err)
				}
				timed := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
				timed = slices.DeleteFunc(timed, func(line string) bool { return strings.HasPrefix(line, "# word ") })
				if len(timed) != len(rows) {
					t.Fatalf("%s: %d and %d lines", c.File, len(rows), len(timed))
				}
				check, err := std.NewCheck(dram.Timing(m.PIM.Timing))
				if err != nil {
					t.Fatal(err)
				}
				n := make([]int64, len(std.Ops))
				for i, row := range rows[1:] {
					at, err := strconv.Atoi(row[0])
					op := std.Op(row[2])
					if n[op]++; err == nil {
						err = check.Issue(op, dram.Cycle(at))
					}
					if err != nil || row[1] != strconv.Itoa(c.Channel) {
						t.Fatalf("%s: %v: %v", c.File, row, err)
					}
					if bank := strings.Index(timed[i+1], " bank="); bank >= 0 && !strings.HasPrefix(timed[i+1][bank+len(" bank="):], row[3]+" ") {
						t.Fatalf("%s: bank %q in %q", c.File, row[3], timed[i+1])
					}
					if want := "@" + row[0] + " " + row[2]; timed[i+1] != want && !strings.HasPrefix(timed[i+1], want+" ") {
						t.Fatalf("%s: %q and %q", c.File, row, timed[i+1])
					}
				}
				if err := check.Finish(dram.Cycle(c.Last)); err != nil {
					t.Errorf("%s: %v", c.File, err)
				}
				if rows[1][0] != strconv.FormatInt(c.First, 10) {
					t.Errorf("%s begins in cycle %s, not %d", c.File, rows[1][0], c.First)
				}
				for op, k := range c.Issued {
					if k.N != n[op] {
						t.Errorf("%s: %s: %d lines, %d wanted", c.File, k.Kind, n[op], k.N)
					}
				}
			}
		}
	}
}

// TestInstructions: the published simulator takes the time of the stream without refreshes, and without the last precharge, which no
// instruction requests; then the host decodes EOC, and waits for its answer.
func TestInstructions(t *testing.T) {
	const endOfCode = 2 // cycles
	folder, man := written(t, "aim", emit.Options{Format: "aim"})
	m, _, ch, _ := parts(t, "aim")
	for _, s := range man.Steps {
		for _, c := range s.Channels {
			f, err := os.Open(filepath.Join(folder, c.File))
			if err != nil {
				t.Fatal(err)
			}
			r, err := aimhost.Time(ch, c.File, f, m.Memory.Channels)
			if err != nil {
				t.Fatal(err)
			}
			f.Close()
			if r.Cycles != dram.Cycle(c.Requested+endOfCode) || c.Requested > c.Bare {
				t.Errorf("%s: %d cycles: %+v", c.File, r.Cycles, c)
			}
		}
	}
}

// TestDeterministic: a plan is written twice with the same bytes, whose hashes are right.
func TestDeterministic(t *testing.T) {
	for _, o := range []emit.Options{{Format: "pimflow", Gzip: true}, {Format: "csv", Timed: true}} {
		a, man := written(t, "newton", o)
		b, _ := written(t, "newton", o)
		for _, s := range man.Steps {
			for _, c := range s.Channels {
				one, err := os.ReadFile(filepath.Join(a, c.File))
				other, err2 := os.ReadFile(filepath.Join(b, c.File))
				if err := errors.Join(err, err2); err != nil || string(one) != string(other) || int64(len(one)) != c.Bytes {
					t.Errorf("%s: %v, %d and %d bytes, %d wanted", c.File, err, len(one), len(other), c.Bytes)
				}
			}
		}
		text, err := os.ReadFile(filepath.Join(a, emit.ManifestName))
		var read emit.Manifest
		if err == nil {
			err = json.Unmarshal(text, &read)
		}
		if err != nil || read.Schema != emit.Schema || read.Commands != man.Commands || len(read.Steps) != len(man.Steps) {
			t.Errorf("%v: %+v", err, read)
		}
	}
}

// TestFolderRefuses: what cannot be written leaves nothing behind.
func TestFolderRefuses(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		machine string
		ctx     context.Context
		o       emit.Options
		want    string
	}{
		{"newton", t.Context(), emit.Options{Format: "aims"}, `--format "aims": one of`},
		{"newton", t.Context(), emit.Options{Format: "aim"}, "--format aim: machine newton has pim.standard newton"},
		{"aim", t.Context(), emit.Options{Format: "aim", Timed: true}, "--timed: the instructions of --format aim have no cycles"},
		{"aim", t.Context(), emit.Options{Format: "csv", Layer: "stem.cony"}, `--layer "stem.cony" has no part on the PIM (did you mean "stem.conv"?)`},
		{"aim", stopped, emit.Options{Format: "csv"}, "canceled"},
	} {
		dir := t.TempDir()
		_, err := emit.Folder(c.ctx, filepath.Join(dir, "out"), source(t, c.machine), c.o, nil)
		if left, _ := os.ReadDir(dir); err == nil || !strings.Contains(err.Error(), c.want) || len(left) > 0 {
			t.Errorf("%+v: %v, %v is left", c.o, err, left)
		}
	}
	if err := files.TryNewFolder(t.TempDir()); err == nil {
		t.Errorf("%v", err)
	}
}
