package pimflow

import (
	"encoding/json"
	"strings"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/run"
)

// TestCheckJSON: a check is not OK where an output differs, though the replay is; one whose
// replay failed has its error.
func TestCheckJSON(t *testing.T) {
	for _, c := range []struct {
		set  func(c *Check)
		json string
		ok   bool
	}{
		{func(c *Check) {
			c.replayed(device.Replay{Streams: 2, Commands: 30, Timed: 20})
			c.compared([]run.Diff{{Output: "y", OK: true}})
		}, `"streams":2`, true},
		{func(c *Check) {
			c.replayed(device.Replay{})
			c.compared([]run.Diff{{Output: "y"}})
		}, `"commands":0`, false},
		{func(c *Check) { c.Replay.Error = "step 1: boom" }, `"error":"step 1: boom"`, false},
	} {
		var check Check
		c.set(&check)
		text, err := json.Marshal(&check)
		if err != nil || !strings.Contains(string(text), c.json) || check.OK != c.ok {
			t.Errorf("%s, %v: %q, ok %v wanted", text, err, c.json, c.ok)
		}
	}
}
