package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/onnx"
	"pimflow/internal/plan"
	"pimflow/internal/profile"
	"pimflow/internal/search"
	"pimflow/internal/survey"
)

// fakeRunner is a program that is spoken to as pimflow-onnxruntime is, and says that a
// model takes a nanosecond for each byte of its file. --device names how it fails.
func fakeRunner() {
	device, repeats := flag.String("device", "", ""), flag.Int("repeats", 0, "")
	flag.String("library", "", "")
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
		f, err := onnx.Read(in.Text(), onnx.Options{})
		info, statErr := os.Stat(in.Text())
		switch {
		case err != nil || statErr != nil:
			a.Error = fmt.Sprint(err, statErr)
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

// planned is the path with every listed kernel at a share of the model's time.
func planned(t *testing.T, model string, share float64) *path {
	t.Helper()
	r := request{model: model, machine: DefaultMachine, policy: search.Default}
	p, err := walk(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	rows, left, err := survey.List(p.Graph, p.Machine, p.Target, p.Result, false)
	if err != nil || left > 0 {
		t.Fatal(err, left)
	}
	for i := range rows {
		rows[i].Time = max(1, device.Time(float64(rows[i].Model)*share))
	}
	r.profile = filepath.Join(t.TempDir(), "cuts.csv")
	if err := writeFile(r.profile, (&profile.Profile{Rows: rows}).Print); err != nil {
		t.Fatal(err)
	}
	if p, err = walk(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// TestProfileMovesWork: with the model's own times the GPU alone is as before, and the
// faster the measured GPU is, the more of the work it gets.
func TestProfileMovesWork(t *testing.T) {
	onGPU := func(p *path) (macs int64) {
		for _, tile := range p.Result.Plan.Tiles() {
			if tile.Device == plan.GPU {
				macs += p.Graph.MACs(tile.Cut)
			}
		}
		return macs
	}
	for _, model := range []string{"toy", "mobilenet-v2"} {
		before, err := walk(context.Background(), request{model: model, machine: DefaultMachine, policy: search.Default})
		if err != nil {
			t.Fatal(err)
		}
		defer before.Close()
		same, faster, slower := planned(t, model, 1), planned(t, model, 0.02), planned(t, model, 50)
		if a, b := before.Result.Baseline.Total, same.Result.Baseline.Total; a != b {
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
