package report

import (
	"errors"
	"strings"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/run"
)

func TestReplay(t *testing.T) {
	for _, c := range []struct {
		set        func(r *Run)
		text, json string
		ok         bool
	}{
		{func(r *Run) {
			r.SetCheck([]run.Diff{{Output: "y", OK: true}}, device.Replay{Streams: 2, Commands: 30, Timed: 20})
		},
			"\nreplay ok: 2 streams, 30 commands, 20 of them timed\n", `"streams": 2`, true},
		{func(r *Run) { r.SetCheck([]run.Diff{{Output: "y"}}, device.Replay{}) }, "\nreplay ok: 0 streams", `"commands": 0`, false},
		{func(r *Run) { r.SetWrong(errors.New("step 1: boom")) }, "\nreplay FAILED: step 1: boom\n", `"error": "step 1: boom"`, false},
	} {
		var r Run
		c.set(&r)
		var text, json strings.Builder
		r.Check.text(&text)
		if err := r.JSON(&json); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), c.text) || !strings.Contains(json.String(), c.json) || r.Check.OK != c.ok {
			t.Errorf("%s%s, %q, %q, ok %v wanted", &text, &json, c.text, c.json, c.ok)
		}
	}
}
