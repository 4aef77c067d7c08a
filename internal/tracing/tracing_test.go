package tracing_test

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"pimflow"

	"pimflow/internal/device"
	"pimflow/internal/tracing"
)

// traced is the trace of the toy network on a machine, and its report.
func traced(t *testing.T, machine, policy string) (*tracing.Trace, *pimflow.Report) {
	t.Helper()
	s, err := pimflow.Open(t.Context(), "toy", pimflow.Options{Machine: machine})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := s.Plan(t.Context(), pimflow.Search{Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Time(p)
	if err != nil {
		t.Fatal(err)
	}
	of := p.Internal()
	return tracing.New(of.Timeline, &of.Standby, of.Plan.PIMChannels, "toy", []tracing.Arg{{Name: "total", Value: r.Total}, {Name: "steps", Value: int64(len(of.Timeline.Program.Steps))}, {Name: "policy", Value: policy}}), r
}

var cases = [][2]string{{"newton", "auto"}, {"aim", "newton++"}, {"toy", "pimflow"}, {"artifact", "gpu"}}

// TestTrace: tracks are as long as devices are busy, parts fill their step, channels stay within it, and the last slice ends with the plan.
func TestTrace(t *testing.T) {
	for _, c := range cases {
		x, r := traced(t, c[0], c[1])
		busy, last, parent := map[string]float64{}, device.Time(0), map[int]tracing.Slice{}
		at := map[int]device.Time{} // end of the part before, by track
		commands := tracing.Slice{}
		for i, s := range x.Slices {
			track := x.Tracks[s.Track]
			last = max(last, s.End)
			if s.Start >= s.End {
				t.Errorf("%v: %v takes no time", c, s)
			}
			switch {
			case track.Group == "plan":
				if s.Start != 0 || s.End.NS() != r.Total {
					t.Errorf("%v: the plan is from %v to %v", c, s.Start, s.End)
				}
			case track.Name != "kernels" && track.Name != "all channels":
				if s.Start != commands.Start || s.End > commands.End {
					t.Errorf("%v: %s has commands from %v to %v of %v to %v", c, track.Name, s.Start, s.End, commands.Start, commands.End)
				}
			case len(s.Args) > 0: // a step
				if p := parent[s.Track]; p.End > s.Start || at[s.Track] != p.End {
					t.Errorf("%v: %s begins at %v, and the parts of the step before end at %v of %v", c, s.Name, s.Start, at[s.Track], p.End)
				}
				busy[track.Group] += (s.End - s.Start).NS()
				parent[s.Track], at[s.Track] = s, s.Start
			default:
				p := parent[s.Track]
				if s.Name == tracing.Commands {
					commands = s
					continue // its terms follow
				}
				if s.Start != at[s.Track] || s.End > p.End {
					t.Errorf("%v: slice %d, %s of %s, begins at %v: %v wanted", c, i, s.Name, p.Name, s.Start, at[s.Track])
				}
				at[s.Track] = s.End
			}
		}
		for track, p := range parent {
			if at[track] != p.End {
				t.Errorf("%v: the parts of %s end at %v of %v", c, p.Name, at[track], p.End)
			}
		}
		if d := busy["GPU"] - r.GPUBusy; math.Abs(d) > 1e-3 {
			t.Errorf("%v: the GPU's track is %v ns longer than it is busy", c, d)
		}
		if d := busy["PIM"] - r.PIMBusy; math.Abs(d) > 1e-3 {
			t.Errorf("%v: the PIM's track is %v ns longer than it is busy", c, d)
		}
		if last.NS() != r.Total {
			t.Errorf("%v: the last slice ends at %v, the plan at %v", c, last.NS(), r.Total)
		}
		for _, f := range x.Flows {
			if from, to := x.Slices[f.From], x.Slices[f.To]; from.End != to.Start || from.Track == to.Track || len(from.Args) == 0 || len(to.Args) == 0 {
				t.Errorf("%v: an arrow from %v to %v", c, from, to)
			}
		}
		if c[1] == "auto" && len(x.Flows) == 0 {
			t.Errorf("%v: no arrows", c)
		}
		work, n := 0.0, 0 // W times their number
		for _, s := range x.Samples {
			if unit, name := x.Tracks[s.Track].Unit, x.Tracks[s.Track].Name; unit == "W" {
				work += s.Value
				if name == "standby" {
					n++
				}
			}
		}
		if mean := work / float64(n); math.Abs(mean/r.Energy.Power-1) > 1e-9 {
			t.Errorf("%v: mean power %v W: %v wanted", c, mean, r.Energy.Power)
		}
	}
}

// TestJSON: begins and ends nest on each thread, the last is at the total, and every thread and process has a name.
func TestJSON(t *testing.T) {
	for _, c := range cases {
		x, r := traced(t, c[0], c[1])
		var b bytes.Buffer
		if err := x.JSON(&b); err != nil {
			t.Fatal(err)
		}
		var got struct {
			TraceEvents []struct {
				Name, Ph string
				PID, TID int
				TS       float64
				ID       int
				Args     map[string]any
			}
		}
		if err := json.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		open, last, names, at := map[int][]string{}, 0.0, map[[2]int]bool{}, map[int]float64{}
		count := map[string]int{}
		for _, e := range got.TraceEvents {
			count[e.Ph]++
			switch e.Ph {
			case "M":
				if e.Name == "thread_name" {
					names[[2]int{e.PID, e.TID}] = true
				}
				continue
			case "B":
				open[e.TID] = append(open[e.TID], e.Name)
				if !names[[2]int{e.PID, e.TID}] {
					t.Errorf("%v: thread %d of process %d has no name", c, e.TID, e.PID)
				}
			case "E":
				if n := len(open[e.TID]); n == 0 || open[e.TID][n-1] != e.Name {
					t.Fatalf("%v: %q ends in %q", c, e.Name, open[e.TID])
				}
				open[e.TID] = open[e.TID][:len(open[e.TID])-1]
				last = max(last, e.TS)
			}
			if e.Ph == "B" || e.Ph == "E" {
				if e.TS < at[e.TID] {
					t.Errorf("%v: %q at %v after %v", c, e.Name, e.TS, at[e.TID])
				}
				at[e.TID] = e.TS
			}
		}
		if last*1e3 != r.Total && math.Abs(last*1e3/r.Total-1) > 1e-12 {
			t.Errorf("%v: the last event ends at %v us, the plan at %v ns", c, last, r.Total)
		}
		if count["B"] != len(x.Slices) || count["E"] != len(x.Slices) || count["s"] != len(x.Flows) || count["f"] != len(x.Flows) || count["C"] != len(x.Samples) {
			t.Errorf("%v: %v events of %d slices, %d arrows, %d samples", c, count, len(x.Slices), len(x.Flows), len(x.Samples))
		}
		for tid, list := range open {
			if len(list) > 0 {
				t.Errorf("%v: %v of thread %d do not end", c, list, tid)
			}
		}
	}
}

// fields are those of a protocol buffer: numbers as they are, bytes as messages or texts.
func fields(t *testing.T, data []byte) map[protowire.Number][][]byte {
	t.Helper()
	m := map[protowire.Number][][]byte{}
	for len(data) > 0 {
		num, typ, n := protowire.ConsumeTag(data)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		data = data[n:]
		size := protowire.ConsumeFieldValue(num, typ, data)
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		v := data[:size]
		if typ == protowire.BytesType {
			v, _ = protowire.ConsumeBytes(v)
		}
		m[num] = append(m[num], v)
		data = data[size:]
	}
	return m
}

func number(list [][]byte) uint64 {
	if len(list) == 0 {
		return 0
	}
	v, _ := protowire.ConsumeVarint(list[0])
	return v
}

// TestPerfetto: the protocol buffers have the slices of the trace, in whole ns, on tracks that were described before, with their arguments.
func TestPerfetto(t *testing.T) {
	for _, c := range cases {
		x, r := traced(t, c[0], c[1])
		var b bytes.Buffer
		if err := x.Perfetto(&b); err != nil {
			t.Fatal(err)
		}
		tracks, open, begun, arrows := map[uint64]string{}, map[uint64][]string{}, 0, [2]int{}
		last, at := uint64(0), map[uint64]uint64{}
		var args []string
		for _, data := range fields(t, b.Bytes())[1] {
			p := fields(t, data)
			for _, d := range p[60] {
				f := fields(t, d)
				name := ""
				if len(f[2]) > 0 {
					name = string(f[2][0])
				}
				if up := number(f[5]); up != 0 && tracks[up] != "group" {
					t.Errorf("%v: track %q lies in %d, which is not known", c, name, up)
				}
				if len(f[3]) > 0 {
					name = "group"
				}
				tracks[number(f[1])] = name
			}
			for _, e := range p[11] {
				f := fields(t, e)
				track, now := number(f[11]), number(p[8])
				if _, known := tracks[track]; !known {
					t.Fatalf("%v: track %d is not described", c, track)
				}
				switch number(f[9]) {
				case 1:
					begun++
					open[track] = append(open[track], string(f[23][0]))
					for _, a := range f[4] {
						args = append(args, string(fields(t, a)[10][0]))
					}
					arrows[0] += len(f[47])
					arrows[1] += len(f[48])
				case 2:
					open[track] = open[track][:len(open[track])-1]
					last = max(last, now)
				}
				if now < at[track] {
					t.Errorf("%v: %v after %v", c, now, at[track])
				}
				at[track] = now
			}
		}
		if begun != len(x.Slices) || arrows != [2]int{len(x.Flows), len(x.Flows)} || last != uint64(math.Round(r.Total)) {
			t.Errorf("%v: %d slices to %d ns, %v arrows: %d to %v, %d wanted", c, begun, last, arrows, len(x.Slices), r.Total, len(x.Flows))
		}
		for _, name := range []string{"total", "steps", "policy", "operator", "cycles", "energy_pj"} {
			if !slices.Contains(args, name) {
				t.Errorf("%v: no argument %s", c, name)
			}
		}
		for track, list := range open {
			if len(list) > 0 {
				t.Errorf("%v: %v of track %d do not end", c, list, track)
			}
		}
	}
}
