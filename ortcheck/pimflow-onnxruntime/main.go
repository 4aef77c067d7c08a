// Command pimflow-onnxruntime measures ONNX models with ONNX Runtime, on this
// machine's CPU or CUDA device. "pimflow profile --with onnxruntime" runs it, and says
// which models by the protocol of package profile: paths of files go in, a line each;
// times come out.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	ort "github.com/yalue/onnxruntime_go"

	"pimflow/internal/profile"
	"pimflow/ortcheck"
)

func main() {
	if err := command(os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "pimflow-onnxruntime:", err)
		os.Exit(1)
	}
}

func command(args []string, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	fl := flag.NewFlagSet("pimflow-onnxruntime", flag.ContinueOnError)
	fl.SetOutput(stderr)
	library := fl.String("library", "", "ONNX Runtime's shared library (default: where ortcheck/fetch.sh puts it)")
	warm := fl.Int("warm-up", 5, "runs of each model before it is measured")
	repeats := fl.Int("repeats", 30, "runs of each model that are measured")
	device := fl.String("device", "auto", "cpu, cuda, or auto: cuda where the library and the machine have it")
	if err := fl.Parse(args); err != nil {
		return err
	}
	if fl.NArg() > 0 || *warm < 0 || *repeats < 1 {
		return errors.New("--warm-up 0 or more, --repeats 1 or more and no arguments wanted")
	}
	if *library == "" {
		if *library, err = ortcheck.Library(); err != nil {
			return fmt.Errorf("%w: run ortcheck/fetch.sh, which gets it from npm, or give --library", err)
		}
	}
	ort.SetSharedLibraryPath(*library)
	if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
		return fmt.Errorf("%s: %w", *library, err)
	}
	defer ort.DestroyEnvironment()
	b, err := newBench(*device)
	if err != nil {
		return err
	}
	defer b.options.Destroy()
	b.warm, b.repeats = *warm, *repeats

	out := json.NewEncoder(stdout)
	if err := out.Encode(b.hello()); err != nil {
		return err
	}
	in := bufio.NewScanner(stdin)
	for in.Scan() {
		a, err := b.measure(in.Text())
		if err != nil {
			a = profile.Answer{Error: err.Error()}
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return in.Err()
}

// bench measures models on one device.
type bench struct {
	device        string
	options       *ort.SessionOptions
	warm, repeats int
}

// newBench chooses the device.
func newBench(device string) (*bench, error) {
	if device != "auto" && device != "cpu" && device != "cuda" {
		return nil, fmt.Errorf("--device %q: auto, cpu or cuda wanted", device)
	}
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	b := &bench{device: "cpu", options: o}
	if device == "cpu" {
		return b, nil
	}
	err = cuda(o)
	if err == nil {
		b.device = "cuda"
		return b, nil
	}
	if device == "cuda" {
		o.Destroy()
		return nil, fmt.Errorf("--device cuda: %w", err)
	}
	return b, nil
}

func cuda(o *ort.SessionOptions) error {
	c, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer c.Destroy()
	return o.AppendExecutionProviderCUDA(c)
}

// hello says what measures.
func (b *bench) hello() profile.Hello {
	on := "ONNX Runtime " + ort.GetVersion() + ", "
	if b.device == "cuda" {
		on += "CUDA device 0"
	} else {
		on += fmt.Sprintf("%s, %d threads, float32", processor(), runtime.NumCPU())
	}
	return profile.Hello{Protocol: profile.Protocol, Device: b.device, On: on}
}

// processor is the name of the CPU, as far as Linux knows it.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo") // elsewhere there is none
	for _, line := range strings.Split(string(info), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH + " CPU"
}

// measure runs a model on noise. Inputs are on the device before a run begins.
func (b *bench) measure(file string) (a profile.Answer, err error) {
	ins, outs, err := ort.GetInputOutputInfo(file)
	if err != nil {
		return a, err
	}
	s, err := ort.NewDynamicAdvancedSession(file, names(ins), names(outs), b.options)
	if err != nil {
		return a, err
	}
	defer s.Destroy()
	io, err := s.CreateIoBinding()
	if err != nil {
		return a, err
	}
	defer io.Destroy()
	for k, list := range [][]ort.InputOutputInfo{ins, outs} {
		for _, x := range list {
			v, err := ort.NewCustomDataTensor(x.Dimensions, noise(x), x.DataType)
			if err != nil {
				return a, fmt.Errorf("%s: %w", x.Name, err)
			}
			defer v.Destroy()
			bind := io.BindInput
			if k == 1 {
				bind = io.BindOutput
			}
			if err := bind(x.Name, v); err != nil {
				return a, fmt.Errorf("%s: %w", x.Name, err)
			}
		}
	}
	var ns []float64
	for i := range b.warm + b.repeats {
		begin := time.Now()
		if err := s.RunWithBinding(io); err != nil {
			return a, err
		}
		if i >= b.warm {
			ns = append(ns, float64(time.Since(begin).Nanoseconds()))
		}
	}
	slices.Sort(ns)
	return profile.Answer{Median: quantile(ns, 0.5), Spread: quantile(ns, 0.75) - quantile(ns, 0.25), Repeats: len(ns)}, nil
}

// quantile is that of sorted values, on a line between the two beside it.
func quantile(v []float64, q float64) float64 {
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 == len(v) {
		return v[i]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

func names(list []ort.InputOutputInfo) []string {
	var n []string
	for _, x := range list {
		n = append(n, x.Name)
	}
	return n
}
