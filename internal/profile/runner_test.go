package profile

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzAnswer: an answer of a runner becomes a time above 0 in a row, or an error.
func FuzzAnswer(f *testing.F) {
	f.Add(`{"median_ns": 1000, "spread_ns": 10, "repeats": 30}`, "a GPU")
	f.Add(`{"error": "no\\nmemory"}`, "")
	f.Add(`{"median_ns": 1e300, "repeats": -1}`, "x\x00,\"")
	f.Fuzz(func(t *testing.T, line, on string) {
		var a Answer
		if json.Unmarshal([]byte(line), &a) != nil || a.check("f") != nil {
			return
		}
		r := &Runner{Hello: Hello{On: on}}
		var x Row
		r.Set(&x, a)
		if x.Time <= 0 || x.Spread < 0 || x.Repeats < 1 {
			t.Errorf("%q: %v, spread %v, %d times", line, x.Time, x.Spread, x.Repeats)
		}
	})
}

// script writes a runner in the shell's language.
func script(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "runner")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+text), 0o777); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestRunnerDeadline: a runner that does not answer is left, with all that it started.
func TestRunnerDeadline(t *testing.T) {
	hello := `echo '{"protocol": "pimflow.runner/1", "device": "cpu", "on": "x"}'` + "\n"
	for _, c := range []struct {
		wait       time.Duration
		text, want string
	}{
		{200 * time.Millisecond, "sleep 1000 & wait\n", "no answer within 200ms"},
		{200 * time.Millisecond, hello + "sleep 1000 & wait\n", "no answer within 200ms"},
		{time.Minute, hello + "read file; echo '{\"median_ns\": 5, \"repeats\": 1}'; trap '' TERM; sleep 1000 & wait\n", "killed"},
		{time.Minute, hello + "read file; head -c 100000 /dev/zero\n", bufio.ErrBufferFull.Error()},
	} {
		r, err := Start(t.Context(), c.wait, script(t, c.text))
		if err == nil {
			if _, err = r.Measure("x.onnx"); err == nil {
				r.wait = 200 * time.Millisecond // to end by itself
				err = r.Close()
			}
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v: %q wanted", c.text, err, c.want)
		}
	}
	if _, err := Start(t.Context(), time.Second, "./no-such-runner"); !errors.Is(err, ErrNoRunner) {
		t.Error(err)
	}
}
