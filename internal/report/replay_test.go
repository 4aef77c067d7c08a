package report

import (
	"strings"
	"testing"

	"pimflow"
)

// TestReplay: the text says what was replayed, or the first command that is wrong.
func TestReplay(t *testing.T) {
	ok, wrong := pimflow.Check{OK: true, Outputs: []pimflow.OutputCheck{{Name: "y", OK: true}}}, pimflow.Check{}
	ok.Replay.OK, ok.Replay.Streams, ok.Replay.Commands, ok.Replay.Timed = true, 2, 30, 20
	wrong.Replay.Error = "step 1: boom"
	for _, c := range []struct {
		check pimflow.Check
		want  string
	}{
		{ok, "\nreplay ok: 2 streams, 30 commands, 20 of them timed\n"},
		{wrong, "\nreplay FAILED: step 1: boom\n"},
	} {
		var text strings.Builder
		if checkText(&text, &c.check); !strings.Contains(text.String(), c.want) {
			t.Errorf("%s: %q wanted", &text, c.want)
		}
	}
}
