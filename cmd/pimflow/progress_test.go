package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// bare is a command that has the flags of all commands, and writes results.
func bare(t *testing.T, w io.Writer) *cobra.Command {
	c := &cobra.Command{}
	(&telling{}).flags(c.Flags())
	c.SetContext(t.Context())
	c.SetOut(w)
	c.SetErr(io.Discard)
	return c
}

// TestProgressOfAllWork: phases count by their weight, those that do not come are passed over, and others are put in; nothing goes back.
func TestProgressOfAllWork(t *testing.T) {
	b := &bar{out: io.Discard, parts: []part{{"search", 10}, {"launches", 8}, {"execute", 2}}}
	last := 0.0
	for _, x := range []struct {
		phase       string
		done, total int
		want        float64
	}{
		{"search", 0, 0, 0}, {"search", 1, 2, 0.25}, {"search", 2, 2, 0.5},
		{"execute the plan", 0, 0, 0.9}, {"execute the plan", 1, 2, 0.95}, {"execute the plan", 3, 2, 1}, {"more", 0, 0, 1}, {"more", 1, 1, 1},
	} {
		b.tell(x.phase, x.done, x.total)
		if b.most != x.want || b.most < last {
			t.Errorf("%s %d of %d: %v of all is done, %v wanted", x.phase, x.done, x.total, b.most, x.want)
		}
		last = b.most
	}
	b = &bar{out: io.Discard, parts: each(4)}
	for i, phase := range []string{"a", "b", "c", "d"} {
		b.tell(phase, 1, 2)
		if want := (float64(i) + 0.5) / 4; b.most != want {
			t.Errorf("%s: %v of all is done, %v wanted", phase, b.most, want)
		}
	}
	b.stop()
	b.tell("e", 1, 1) // of work that was left
	if b.most != 0.875 {
		t.Error("a bar that was stopped goes on")
	}
}

// TestHowFar: the time that is left follows from that which passed.
func TestHowFar(t *testing.T) {
	for _, x := range []struct {
		done float64
		took time.Duration
		want string
	}{{0, 0, "0 %, 0s"}, {0.01, 3 * time.Second, "1 %, 3s"}, {0.25, 30 * time.Second, "25 %, 30s, about 1m30s left"}, {1, time.Minute, "99 %, 1m0s, about 1s left"}} {
		if got := howFar(x.done, x.took); got != x.want {
			t.Errorf("%q, %q wanted", got, x.want)
		}
	}
}

// TestProgressLines: a line at each tick, with the phase and the share of all work.
func TestProgressLines(t *testing.T) {
	r, w := io.Pipe()
	ticks := make(chan time.Time)
	b := &bar{out: w, began: time.Now(), parts: each(2)}
	b.lines(func() <-chan time.Time { return ticks })
	ticks <- time.Time{} // before the first phase: nothing
	b.tell("search", 1, 2)
	go func() { ticks <- time.Time{} }()
	got := make([]byte, 80)
	n, err := r.Read(got)
	if text := string(got[:n]); err != nil || !strings.HasPrefix(text, "pimflow: search: 25 %, 0s, about ") || !strings.HasSuffix(text, " left\n") {
		t.Errorf("%q, %v", text, err)
	}
	r.Close()
	b.stop()
}

// TestQuiet: every command has --quiet and --progress; --quiet and none tell nothing but results.
func TestQuiet(t *testing.T) {
	for _, c := range rootCommand().Commands() {
		if c.InheritedFlags().Lookup("quiet") == nil || c.InheritedFlags().Lookup("progress") == nil {
			t.Errorf("%s has no --quiet and --progress", c.Name())
		}
	}
	var words, none bytes.Buffer
	if code := command(t.Context(), []string{"__complete", "run", "--progress", "p"}, &words, &none); code != 0 || !strings.HasPrefix(words.String(), "plain\n") {
		t.Errorf("exit code %d, %s", code, &words)
	}
	for _, x := range []struct{ flags, notes string }{{"", "pimflow: 0 of 1 point\n"}, {" --progress plain", "pimflow: 0 of 1 point\n"}, {" --progress none", ""}, {" -q", ""}, {" --progress plain --quiet", ""}} {
		var out, stderr bytes.Buffer
		if code := command(t.Context(), strings.Fields("sweep --model toy --machine toy --policy gpu"+x.flags), &out, &stderr); code != 0 || stderr.String() != x.notes || out.Len() == 0 {
			t.Errorf("%q: exit code %d, %q, %q wanted", x.flags, code, &stderr, x.notes)
		}
	}
}
