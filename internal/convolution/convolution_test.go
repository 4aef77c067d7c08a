package convolution

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/hw"
)

// TestLayerTable costs the rows that the published tools were run on.
func TestLayerTable(t *testing.T) {
	m, err := hw.Load("artifact")
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
		b, err := NewBench(m, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Table(t.Context(), "-", false, &text, &out); err != nil {
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
	m, err := hw.Load("artifact")
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewBench(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	in, out := io.Pipe()
	go func() {
		io.WriteString(out, strings.Join(Columns(), ",")+"\n")
		stop()
	}()
	if err := b.Table(ctx, "-", false, in, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	out.Close()
}

// FuzzTable: a table is read to its end or to an error of file and line, and each row keeps its cells.
func FuzzTable(f *testing.F) {
	head := strings.Join(Columns(), ",") + "\n"
	f.Add(head + "n,l,3,8,8,16,3,3,1,1,1,4,4,1\n")
	f.Add("\ufeff" + head)
	f.Add(head + "\"a\"\"b\",l,3,8,8,16,3,3,1,1,1,4,4,0\n")
	m, err := hw.Load("artifact")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := newRows("f", strings.NewReader(text), m)
		for err == nil {
			var x *row
			if x, err = r.next(); err == nil && (len(x.cells) != len(Columns()) || x.Check(m) != nil) {
				t.Errorf("row %q: %v", x.cells, x.Check(m))
			}
		}
		if err != io.EOF && (!strings.HasPrefix(err.Error(), "f:") || strings.Contains(fmt.Sprintf("%.200s", err), "\n")) {
			t.Errorf("%q", err)
		}
	})
}
