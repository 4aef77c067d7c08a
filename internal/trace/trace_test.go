package trace

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pimflow/internal/hw"
)

func published(t *testing.T) *Simulator {
	m, err := hw.Load("artifact")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(m, false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func silent(string) func(done, total int) { return nil }

// TestInterrupt: what waits for input ends with its context.
func TestInterrupt(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	in, out := io.Pipe()
	go func() {
		io.WriteString(out, "READRES\n")
		stop()
	}()
	if _, err := published(t).Files(ctx, []string{"-"}, in, silent); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	out.Close()
}

// TestProgress: the progress of a file ends at its size.
func TestProgress(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.pim")
	if err := os.WriteFile(file, []byte(strings.Repeat("READRES\n", 10_000)), 0o666); err != nil {
		t.Fatal(err)
	}
	var last, size int
	r, err := published(t).Files(t.Context(), []string{file}, nil, func(string) func(done, total int) {
		return func(done, total int) {
			if done < last {
				t.Errorf("%d after %d", done, last)
			}
			last, size = done, total
		}
	})
	if err != nil || last != 80_000 || size != last || r.Traces[0].Total != 10_000 {
		t.Errorf("%d of %d bytes, %+v, %v", last, size, r, err)
	}
}
