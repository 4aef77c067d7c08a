package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/run"
)

// event is one entry of the Trace Event Format, which chrome://tracing and
// Perfetto read. Times are in microseconds.
type event struct {
	Name string            `json:"name"`
	Ph   string            `json:"ph"`
	PID  int               `json:"pid"`
	TID  int               `json:"tid"`
	TS   float64           `json:"ts"`
	Dur  float64           `json:"dur,omitempty"`
	Args map[string]string `json:"args,omitempty"`
}

// Trace writes a timeline in the Trace Event Format: a lane for the GPU and one
// for each of the channels of the PIM.
func Trace(w io.Writer, tl *run.Timeline, channels int) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "{\"otherData\":{\"version\":%q},\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", Version())
	first := true
	put := func(e event) error {
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if !first {
			b.WriteString(",\n")
		}
		first = false
		_, err = b.Write(data)
		return err
	}
	name := func(tid int, s string) error {
		return put(event{Name: "thread_name", Ph: "M", PID: 1, TID: tid, Args: map[string]string{"name": s}})
	}
	if err := name(0, "GPU"); err != nil {
		return err
	}
	for c := range channels {
		if err := name(1+c, fmt.Sprintf("PIM channel %d", c)); err != nil {
			return err
		}
	}
	for i, s := range tl.Program.Steps {
		nd := &tl.Program.Graph.Nodes[s.Node]
		c := s.Code.Cost()
		e := event{
			Name: nd.Name, Ph: "X", PID: 1, TS: micro(tl.Spans[i].Start),
			Args: map[string]string{"op": nd.Operators(), "box": s.Box.String(), "bound": c.Bound, "ticks": fmt.Sprint(c.Ticks)},
		}
		lanes := []device.Time{c.Time}
		if s.Device == plan.PIM {
			e.TID, lanes = 1, c.Lanes
		}
		for _, t := range lanes {
			if e.Dur = micro(t); t > 0 {
				if err := put(e); err != nil {
					return err
				}
			}
			e.TID++
		}
	}
	b.WriteString("\n]}\n")
	return b.Flush()
}

func micro(t device.Time) float64 { return float64(t) / 1e6 }
