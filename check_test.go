package pimflow

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/run"
	"pimflow/internal/search"
	"pimflow/internal/tensor"
)

// TestCheckJSON: a check is OK where tiles are right and some finite value shows it, whatever the outputs
// are; numbers that JSON has not are texts.
func TestCheckJSON(t *testing.T) {
	s := &Session{graph: &graph.Graph{Nodes: []graph.Node{{Name: "conv"}}}}
	s.model = &graph.Graph{Outputs: []graph.Output{{Name: "y"}}}
	some := run.Verified{Tiles: 1, Evidence: device.Evidence{Compared: 5}}
	for _, c := range []struct {
		verdict run.Verdict
		json    string
		ok      bool
	}{
		{run.Verdict{PIM: some}, `"compared":5`, true},
		{run.Verdict{GPU: some}, `"max_rel":0.5`, true},
		{run.Verdict{PIM: run.Verified{Tiles: 1}}, `"reason":"no finite value was compared"`, false},
		{run.Verdict{PIM: some, GPU: run.Verified{Tiles: 1}}, `"reason":"no finite value was compared"`, false},
		{run.Verdict{}, `"reason":"no finite value was compared"`, false},
		{run.Verdict{PIM: some, Faults: []run.Fault{{Cut: graph.Cut{Box: tensor.Box{{Lo: 0, Hi: 5}}}, Device: "pim", Index: []int{3}, Why: run.NotEqual, Wrong: 1, Deviation: device.Deviation{Got: math.NaN()}}}},
			`"reason":"layer \"conv\", pim[0:5]: 1 values wrong: value [3] differs from the graph's: got NaN, 0 wanted, bound 0"`, false},
		{run.Verdict{PIM: some, Faults: []run.Fault{{Deviation: device.Deviation{Got: math.NaN()}}}}, `"got":"NaN"`, false},
	} {
		var check Check
		check.verified(s, &Plan{result: &search.Result{}}, &sized{graph: s.graph}, &c.verdict)
		check.compared(s, []run.Diff{{MaxAbs: 1, MaxRel: 0.5}})
		text, err := json.Marshal(&check)
		if err != nil || !strings.Contains(string(text), c.json) || check.OK != c.ok {
			t.Errorf("%s, %v: %q, ok %v wanted", text, err, c.json, c.ok)
		}
	}
}
