package trace

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"pimflow/internal/dram/aimhost"
	"strings"
	"testing"
	"time"

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

// FuzzHostTable: a table of host traces is CSV again, or an error of file and place.
func FuzzHostTable(f *testing.F) {
	s := simulator(f, "aim")
	f.Add("trace,cycles\nAiM EOC,0\n")
	f.Add("name,trace\r\nx,\"2*i(AiM MAC_ABK 3 0x1 {i}) | AiM EOC\"\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "*") { // loops of any length: FuzzHost has them
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := s.HostTable(ctx, file, nil, &out, nil); err != nil {
			if ctx.Err() == nil && (!strings.HasPrefix(err.Error(), file+":") || strings.Contains(err.Error(), "\n")) {
				t.Errorf("%q", err)
			}
			return
		}
		if _, err := csv.NewReader(&out).ReadAll(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzHostText: a text of host instructions is timed, or an error of name and line.
func FuzzHostText(f *testing.F) {
	s := simulator(f, "aim")
	f.Add("AiM EOC\n")
	f.Add("W MEM 0 0 0\nAiM WR_BIAS 0x1\nAiM MAC_ABK 3 0x1 0\nAiM EOC\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<12 {
			return
		}
		r, err := aimhost.Time(s.channel, "f", strings.NewReader(text), s.Machine.Memory.Channels)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q", err)
			}
			return
		}
		if r.Instructions < 1 || r.Cycles < 0 {
			t.Errorf("%d instructions in %d cycles", r.Instructions, r.Cycles)
		}
	})
}
