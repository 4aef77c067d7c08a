package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/result"
	"pimflow/internal/space"
)

// backwards is an engine that ends points in the reverse of their order: each point waits for all later ones. Point 2 fails, and with broken
// the engine fails, too.
type backwards struct {
	mu     sync.Mutex
	left   int
	ended  chan struct{}
	broken bool
}

func (f *backwards) run(ctx context.Context, tasks iter.Seq[space.Task], emit func(*result.Row, bool) error) error {
	for t := range tasks {
		f.mu.Lock()
		if f.left--; f.left == 0 {
			close(f.ended)
		}
		f.mu.Unlock()
		select {
		case <-f.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
		r := &result.Row{Point: t.Index, Total: float64(t.Index)}
		if t.Index == 2 {
			if f.broken {
				return errors.New("the server is gone")
			}
			r = &result.Row{Point: t.Index, Error: "no plan"}
		}
		if err := emit(r, false); err != nil {
			return err
		}
	}
	return nil
}

func channels(t *testing.T) *space.Space {
	s := spaceOf(t, &space.Spec{}, "models=toy", "machines=toy", "memory.pim_channels=1..3")
	return s
}

func asks(channels ...int) io.Reader {
	var b strings.Builder
	for i, n := range channels {
		fmt.Fprintf(&b, "{\"id\": %d, \"set\": {\"memory.pim_channels\": %d}}\n", 10+i, n)
	}
	return strings.NewReader(b.String())
}

// TestConverse: asks are evaluated at the same time and answered in their order. A wrong ask is answered, too.
func TestConverse(t *testing.T) {
	var out bytes.Buffer
	if err := converse(t.Context(), channels(t), nil, &backwards{left: 4, ended: make(chan struct{})}, asks(2, 1, 4, 3, 2), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := []string{
		`^{"schema":"pimflow.asktell/1",`, `^{"id":10,"row":{"schema":"pimflow.point/1","point":1,.*"total_ns":1,`, `^{"id":11,"row":.*"point":0,`,
		`^{"id":12,"error":"line 3: set: memory.pim_channels: \\"4\\": one of 1, 2, 3 wanted"}$`, `^{"id":13,"row":.*"point":2,.*"total_ns":null,.*"error":"no plan"}}$`, `^{"id":14,"row":.*"point":1,`,
	}
	if len(lines) != len(want) {
		t.Fatalf("%s", &out)
	}
	for i := range want {
		if !regexp.MustCompile(want[i]).MatchString(lines[i]) {
			t.Errorf("%s\n%s wanted", lines[i], want[i])
		}
	}
}

// TestConverseEnds: an engine that fails, and a context that ends, end the conversation, though nobody has ended standard input.
func TestConverseEnds(t *testing.T) {
	for name, c := range map[string]struct {
		by     *backwards
		limit  time.Duration
		wanted string
	}{
		"engine":  {&backwards{left: 2, ended: make(chan struct{}), broken: true}, time.Hour, "the server is gone"},
		"context": {&backwards{left: 3, ended: make(chan struct{})}, 20 * time.Millisecond, context.DeadlineExceeded.Error()},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), c.limit)
		open, end := io.Pipe()
		err := converse(ctx, channels(t), nil, c.by, io.MultiReader(asks(3, 1), open), io.Discard)
		if err == nil || err.Error() != c.wanted {
			t.Errorf("%s: %v: %s wanted", name, err, c.wanted)
		}
		end.Close()
		cancel()
	}
}

// TestAskTellExample runs the example of docs/guided.md that python3 drives, and compares what it prints.
func TestAskTellExample(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not there")
	}
	const doc = "../../docs/guided.md"
	data, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	script := regexp.MustCompile("(?s)`climb.py`.*?```python\n(.*?)```").FindSubmatch(data)
	dir := t.TempDir()
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(dir, "pimflow"))
	}
	if err == nil && script == nil {
		err = errors.New("climb.py is not there")
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "climb.py"), script[1], 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, ex := range examples(t, doc) {
		if !strings.HasPrefix(ex.command, "python3 ") {
			continue
		}
		ran++
		c := exec.Command("sh", "-c", ex.command)
		c.Dir = dir
		c.Env = append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(dir, ".cache"), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if *update {
			ex.write(t, string(out))
		} else if ex.output != string(out) {
			t.Errorf("%s:%d: %s prints otherwise:\n%s", ex.file, ex.line, ex.command, cmp.Diff(ex.output, string(out)))
		}
	}
	if ran == 0 {
		t.Error("no example with python3")
	}
}
