package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/hw"
)

// TestLayerTable costs the rows that the published tools were run on.
func TestLayerTable(t *testing.T) {
	m, err := hw.Load(PublishedMachine)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]int{"published.csv": 352, "published_ratios.csv": 1248} {
		f, err := os.Open("../../internal/published/generator/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		in := csv.NewReader(f)
		in.Comment = '#'
		golden, err := in.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		head := golden[0]
		head[slices.Index(head, "hiding")] = "latency_hiding"
		head[slices.Index(head, "commands")] = "commands_total"
		for i, row := range golden {
			golden[i] = row[:slices.Index(head, "cycles")+1]
		}
		var text, out bytes.Buffer
		if err := csv.NewWriter(&text).WriteAll(golden); err != nil {
			t.Fatal(err)
		}
		b, err := newBench(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := layerTable(t.Context(), b, "-", false, &text, &out); err != nil {
			t.Fatal(err)
		}
		got, err := csv.NewReader(&out).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(golden, got); d != "" || len(got) != want+1 {
			t.Errorf("%s: %d rows, %d wanted: %s", file, len(got)-1, want, d)
		}
	}
}

// TestInOrder: results come in order, up to the first error in that order.
func TestInOrder(t *testing.T) {
	late := errors.New("late")
	for _, bad := range []int{0, 3, 500, 1000} {
		n, want := 0, 0
		err := inOrder(t.Context(), func() (int, error) {
			if n++; n > 1000 {
				return 0, io.EOF
			}
			return n - 1, nil
		}, func(i int) (int, error) {
			for range i * 7 % 13 {
				runtime.Gosched()
			}
			if i == bad || i == bad+1 {
				return 0, late
			}
			return 2 * i, nil
		}, func(got int) error {
			if got != 2*want {
				t.Fatalf("%d after %d results", got, want)
			}
			want++
			return nil
		})
		if want != bad || bad < 1000 != (err == late) {
			t.Errorf("%d results and error %v, %d wanted", want, err, bad)
		}
	}
}

// TestInterrupt: what waits for input ends with its context.
func TestInterrupt(t *testing.T) {
	s, err := newSimulator(PublishedMachine, false)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBench(s.machine)
	if err != nil {
		t.Fatal(err)
	}
	for text, read := range map[string]func(ctx context.Context, in io.Reader) error{
		"READRES\n": func(ctx context.Context, in io.Reader) error {
			_, err := s.traces(ctx, []string{"-"}, in, io.Discard)
			return err
		},
		strings.Join(columnNames(), ",") + "\n": func(ctx context.Context, in io.Reader) error {
			return layerTable(ctx, b, "-", false, in, io.Discard)
		},
	} {
		ctx, stop := context.WithCancel(t.Context())
		in, out := io.Pipe()
		go func() {
			io.WriteString(out, text)
			stop()
		}()
		if err := read(ctx, in); !errors.Is(err, context.Canceled) {
			t.Errorf("%q: error %v", text, err)
		}
		out.Close()
	}
}

// TestWriteTraces compares a file with the hash of pim_codegen's.
func TestWriteTraces(t *testing.T) {
	m, err := hw.Load(PublishedMachine)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBench(m)
	if err != nil {
		t.Fatal(err)
	}
	q := &question{channels: 16, buffers: 4, convolution: convolution{
		ic: 32, oc: 16, h: 112, w: 112, kh: 1, kw: 1, stride: 1, groups: 1, dilation: 1,
	}}
	dir := t.TempDir()
	if err := writeTraces(t.Context(), b, q, dir, "x"); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(dir + "/x-16.pim")
	if err != nil {
		t.Fatal(err)
	}
	const want = "aeda25a3d26639d6103e0b756dea9d3a1bace30b0bf25f4d3b425c75bb050b36"
	if got := fmt.Sprintf("%x", sha256.Sum256(data)); got != want {
		t.Errorf("SHA-256 %s, %s wanted", got, want)
	}
}

// TestTraceProgress: the progress of a file ends at its size.
func TestTraceProgress(t *testing.T) {
	s, err := newSimulator(PublishedMachine, false)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "x.pim")
	if err := os.WriteFile(file, []byte(strings.Repeat("READRES\n", 10_000)), 0o666); err != nil {
		t.Fatal(err)
	}
	var last, size int
	r, err := s.trace(t.Context(), file, nil, func(done, total int) {
		if done < last {
			t.Errorf("%d after %d", done, last)
		}
		last, size = done, total
	})
	if err != nil || last != 80_000 || size != last || s.commands(r.Issued) != 10_000 {
		t.Errorf("%d of %d bytes, %d commands, %v", last, size, s.commands(r.Issued), err)
	}
}
