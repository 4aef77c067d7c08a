package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pimflow"

	"pimflow/internal/device"
	"pimflow/internal/files"
	"pimflow/internal/onnx"
	"pimflow/internal/plan"
	"pimflow/internal/profile"
	"pimflow/internal/survey"
)

// fakeRunner is a program that is spoken to as pimflow-onnxruntime is, and says that a
// model takes a nanosecond for each byte of its file. --device names how it fails.
func fakeRunner() {
	device, repeats := flag.String("device", "", ""), flag.Int("repeats", 0, "")
	for _, name := range []string{"library", "launch", "c"} {
		flag.String(name, "", "")
	}
	flag.Parse()
	hello := profile.Hello{Protocol: profile.Protocol, Device: "cpu", On: "a fake"}
	switch *device {
	case "silent":
		os.Exit(3)
	case "sorry":
		fmt.Fprintln(os.Stderr, "fake-runner: no library")
		os.Exit(1)
	case "rubbish":
		fmt.Println("What?")
		return
	case "older":
		hello.Protocol = "pimflow.runner/0"
	case "cuda":
		hello.Device = "cuda"
	}
	out := json.NewEncoder(os.Stdout)
	out.Encode(hello)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		a := profile.Answer{Repeats: *repeats, Spread: 10}
		f, err := onnx.Read(context.Background(), in.Text(), onnx.Options{})
		info, statErr := os.Stat(in.Text())
		switch {
		case err != nil || statErr != nil:
			a.Error = fmt.Sprint(err, statErr)
		case *device == "picks" && strings.Contains(f.Graph.Nodes[f.Graph.Outputs[0].ID].Op.Name, "Pool"):
			a.Error, a.Unsupported = "pools", true
		case *device == "picks":
			a.Median, a.Clock = 1000, float64(info.Size()%7)+1000
		case *device == "refuses":
			a.Error = "not this one"
		case *device == "dies":
			fmt.Fprintln(os.Stderr, "out of memory")
			os.Exit(1)
		case *device == "never":
			a.Median = -1
		default:
			a.Median = float64(info.Size())
			if f.Graph.Nodes[f.Graph.Outputs[0].ID].Shape.Size() == 1 && *device == "cuda" {
				a.Median = 1000
			}
			f.Close()
		}
		out.Encode(a)
	}
}

// planned is a session and its plan, with the kernels of a profile; "" for the model's times.
func planned(t *testing.T, model, file string) (*pimflow.Session, *pimflow.Plan) {
	t.Helper()
	s, err := pimflow.Open(t.Context(), model, pimflow.Options{Profile: file})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	p, err := s.Plan(t.Context(), pimflow.Search{})
	if err != nil {
		t.Fatal(err)
	}
	return s, p
}

// measured is a profile of every listed kernel at a share of the model's time.
func measured(t *testing.T, s *pimflow.Session, p *pimflow.Plan, share float64) string {
	t.Helper()
	g, m, target, _ := s.Internal()
	rows, left, err := survey.List(g, m, target, p.Internal(), false)
	if err != nil || left > 0 {
		t.Fatal(err, left)
	}
	for i := range rows {
		rows[i].Time = max(1, device.Time(float64(rows[i].Model)*share))
	}
	file := filepath.Join(t.TempDir(), "cuts.csv")
	if err := files.Write(t.Context(), files.File{Name: file, Write: (&profile.Profile{Rows: rows}).Print}); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestProfileMovesWork: with the model's own times the GPU alone is as before, and the
// faster the measured GPU is, the more of the work it gets.
func TestProfileMovesWork(t *testing.T) {
	for _, model := range []string{"toy", "mobilenet-v2"} {
		if model != "toy" && !*long {
			continue // five searches
		}
		s, before := planned(t, model, "")
		g, _, _, _ := s.Internal()
		onGPU := func(p *pimflow.Plan) (macs int64) {
			for _, tile := range p.Internal().Plan.Tiles() {
				if tile.Device == plan.GPU {
					macs += g.MACs(tile.Cut)
				}
			}
			return macs
		}
		_, same := planned(t, model, measured(t, s, before, 1))
		_, faster := planned(t, model, measured(t, s, before, 0.02))
		_, slower := planned(t, model, measured(t, s, before, 50))
		if a, b := before.Internal().Baseline.Total, same.Internal().Baseline.Total; a != b {
			t.Errorf("%s: the GPU alone takes %v with its own times: %v wanted", model, b, a)
		}
		if a, b, c := onGPU(slower), onGPU(same), onGPU(faster); a > b || b >= c {
			t.Errorf("%s: multiply-accumulates on a GPU that is slow, as modelled, fast: %d, %d, %d", model, a, b, c)
		}
		if onGPU(slower) > onGPU(same)/2 && onGPU(same) > 0 {
			t.Errorf("%s: a slow GPU has %d of %d multiply-accumulates", model, onGPU(slower), onGPU(same))
		}
	}
}
