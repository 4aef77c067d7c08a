package main

import (
	"bytes"
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"

	"pimflow/internal/result"
	"pimflow/internal/space"
)

// counted is an engine whose rows that were known before are counted.
type counted struct {
	engine
	known *int
}

func (c counted) run(ctx context.Context, tasks iter.Seq[space.Task], emit func(*result.Row, bool) error) error {
	return c.engine.run(ctx, tasks, func(r *result.Row, cached bool) error {
		if cached {
			*c.known++
		}
		return emit(r, cached)
	})
}

// TestGrid: the points of docs/grid.yaml, or with a small network a few of them, have results; a second sweep with the same store finds all and writes the same
// bytes. With -long all 10,080 points of two networks are evaluated: some 20 minutes of a processor.
func TestGrid(t *testing.T) {
	spec, err := space.Load("../../docs/grid.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := 10_080
	if !*long {
		spec.Put(space.Axis{Name: "models", Values: []space.Value{{Text: "toy"}}})
		spec.Where = []space.Text{{Text: "memory.pim_channels == 16 && pim.banks == 16 && pim.buffers >= 3"}}
		want = 2 * 7 * 4
	}
	s, err := space.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	f := &queueFlags{}
	f.add(pflag.NewFlagSet("", pflag.ContinueOnError))
	f.store = filepath.Join(t.TempDir(), "store")
	var files [2][]byte
	for i := range files {
		name, known := filepath.Join(t.TempDir(), "rows.csv"), 0
		by, err := inQueue{f, func(text string) { t.Error(text) }}.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		err = sweepSpace(bare(t, io.Discard), s, counted{by, &known}, name, form{})
		by.close()
		if err != nil {
			t.Fatal(err)
		}
		if files[i], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
		rows, anchors := 0, 0
		if err := result.Read(name, func(r *result.Row) error {
			if rows++; r.Search == space.Full {
				anchors++
			}
			if r.Error != "" || r.Total <= 0 {
				t.Errorf("point %d: %v, %s", r.Point, r.Total, r.Error)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if rows != want || anchors == 0 || anchors == rows || i > 0 && known < rows {
			t.Errorf("sweep %d: %d rows, %d of them anchors, and %d results known before: %d rows wanted", i, rows, anchors, known, want)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the second sweep has other rows")
	}
}
