package report

import (
	"strings"
	"testing"

	"pimflow"
)

// TestCheckText: the text says what was compared and replayed, or what is wrong.
func TestCheckText(t *testing.T) {
	good := func(change func(c *pimflow.Check)) (c pimflow.Check) {
		c.OK, c.Replay.OK, c.Replay.Streams, c.Replay.Commands, c.Replay.Timed, c.Replay.Accesses = true, true, 2, 30, 20, 10
		c.PIMTiles, c.PIM = 3, pimflow.Evidence{Compared: 100, Zero: 7, NotFinite: 1}
		c.Outputs = []pimflow.OutputCheck{{Name: "y", MaxAbs: 0.5, MaxRel: 0.25, Evidence: pimflow.Evidence{Compared: 4}}}
		if change != nil {
			change(&c)
		}
		return c
	}
	for _, c := range []struct {
		check pimflow.Check
		want  string
	}{
		{good(nil), "\ncheck     ok\n"},
		{good(nil), "  3 PIM tiles            100     7           1  within the bound of their arithmetic\n"},
		{good(nil), "  output y                 4     0           0  largest error 0.5, 0.25 of the largest value\n"},
		{good(nil), "\nreplay ok: 2 streams, 30 commands, 20 of them timed, 10 column accesses each once\n"},
		{good(func(c *pimflow.Check) { c.Whole = true }), "  3 PIM tiles            100     7           1  equal\n"},
		{good(func(c *pimflow.Check) { c.Exact = true }), "1  equal, on whole numbers\n"},
		{good(func(c *pimflow.Check) { c.Exact, c.Inexact = true, []string{"fc"} }), "equal, on whole numbers; in 1 layers within the bound, sums are beyond the whole numbers of the format: fc\n"},
		{good(func(c *pimflow.Check) { c.OK, c.Reason = false, "boom" }), "\ncheck     FAILED: boom\n"},
		{good(func(c *pimflow.Check) { c.Outputs[0].Lost = 3 }), "\ncheck     ok, but 3 of 7 values of output y are lost in the PIM's number format: not finite\n"},
		{good(func(c *pimflow.Check) { c.PIMTiles, c.Outputs[0].Lost = 0, 3 }), "\ncheck     ok, but 3 of 7 values of output y are lost: not finite\n"},
		{good(func(c *pimflow.Check) { c.Outputs[0].Zero, c.Outputs[0].Vanished = 1, 2 }), "\ncheck     ok, but 2 of 4 values of output y are lost in the PIM's number format: 0\n"},
		{good(func(c *pimflow.Check) { c.Outputs[0].Vanished = 1 }), "\ncheck     ok\n"}, // of 4 that are not 0
		{good(func(c *pimflow.Check) { c.Outputs[0].Vanished, c.Outputs[0].Lost = 3, 2 }), "\ncheck     ok, but 5 of 6 values of output y are lost in the PIM's number format: 2 not finite, 3 0\n"},
		{good(func(c *pimflow.Check) {
			c.Outputs[0].Lost = 3
			c.Outputs = append(c.Outputs, c.Outputs[0], pimflow.OutputCheck{})
		}), ": not finite; so are values of 1 more outputs\n"},
		{good(func(c *pimflow.Check) { c.Outputs[0].Vanished = 4 }), ", 0.25 of the largest value; 4 values are 0 that the model's are not\n"},
		{good(func(c *pimflow.Check) { c.Outputs[0] = pimflow.OutputCheck{Name: "y"} }), "  output y                 0     0           0  no values\n"},
		{good(func(c *pimflow.Check) { c.OK, c.Reason, c.Lost = false, "boom", []string{"y"} }), "\ncheck     FAILED: boom\n"},
		{good(func(c *pimflow.Check) { c.Faults = make([]pimflow.TileFault, 9) }), "  and 3 more (-v)\n"},
		{good(func(c *pimflow.Check) { c.Outputs[0].Changed = 1 }), "1 integers differ, 25 %\n"},
		{good(func(c *pimflow.Check) { c.Outputs[0].Lost = 2 }), "; 2 values are not finite that the model's are\n"},
		{good(func(c *pimflow.Check) {
			c.Format = []pimflow.LayerRange{{Layer: "a", Inputs: 4, InputsUnder: 3}, {Layer: "b", Results: 5000, ResultsOver: 1}, {Layer: "c", Weights: 5000, WeightsUnder: 4}}
		}), "\nformat    layer b: results overflow: 1 of 5000\nformat    layer a: inputs underflow: 3 of 4\nformat    1 layers with less than 0.001 of their values underflowing (-v)\n"},
		{func() (c pimflow.Check) { c.Replay.Error = "step 1: boom"; return c }(), "\nreplay FAILED: step 1: boom\n"},
	} {
		var text strings.Builder
		if checkText(&text, &c.check, false); !strings.Contains(trimLines(text.String()), c.want) {
			t.Errorf("%s: %q wanted", &text, c.want)
		}
	}
}
