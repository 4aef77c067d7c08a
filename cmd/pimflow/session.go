package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"pimflow"
	"pimflow/internal/fault"
	"pimflow/internal/hw"
	"pimflow/internal/tensor"
)

// PublishedMachine is the default machine of the commands that compare this project with the
// published system.
const PublishedMachine = "artifact"

// autoChannels asks for a search of the best number of PIM channels.
const autoChannels = "auto"

// request holds the flags that open a session and choose a plan.
type request struct {
	model    string
	opts     pimflow.Options
	how      pimflow.Search
	plan     string // a file; "": search one
	channels string // number of PIM channels, or autoChannels; "": the machine's

	shapes, dims []string // [NAME=]SHAPE and NAME=EXTENT
	inputs       []string // [NAME=]FILE
}

// settle refuses a plan file together with what a search is told.
func (r *request) settle(c *cobra.Command) error {
	if c.Flags().Lookup("input") != nil {
		r.opts.Inputs = append([]string{}, r.inputs...) // not nil: the flag is there
	}
	for _, name := range []string{"policy", "pin"} {
		if r.plan != "" && c.Flags().Changed(name) {
			return fault.Usagef("--plan %s already is a plan: leave out --%s", r.plan, name)
		}
	}
	return nil
}

// open opens the session. The caller closes it.
func (r *request) open(ctx context.Context, bar *bar) (*pimflow.Session, error) {
	if err := r.bind(); err != nil {
		return nil, err
	}
	if text := hw.Changes(r.opts.Set, hw.PIMChannels); r.channels != "" && text != "" {
		return nil, fault.Usagef("--pim-channels %.80s and --set %.80s both say how many channels compute: leave out one", r.channels, text)
	}
	r.opts.Progress = bar.tell
	s, err := pimflow.Open(ctx, r.model, r.opts)
	if err != nil || r.channels == "" || r.channels == autoChannels {
		return s, err
	}
	on, err := withChannels(s, r.channels)
	if err != nil {
		s.Close()
	}
	return on, err
}

// walk opens the session and finds its plan, with progress on the terminal. Between them it calls
// ready, unless nil. The caller closes the session.
func (r *request) walk(ctx context.Context, bar *bar, ready func(*pimflow.Session) error) (*pimflow.Session, *pimflow.Plan, error) {
	if r.plan != "" {
		if err := r.bind(); err != nil {
			return nil, nil, err
		}
		r.opts.Progress = bar.tell
		s, p, err := pimflow.OpenPlan(ctx, r.plan, r.model, r.opts)
		if err == nil && ready != nil {
			if err = ready(s); err != nil {
				s.Close()
			}
		}
		return s, p, err
	}
	s, err := r.open(ctx, bar)
	if err != nil {
		return nil, nil, err
	}
	if ready != nil {
		if err := ready(s); err != nil {
			s.Close()
			return nil, nil, err
		}
	}
	r.how.Channels = r.channels == autoChannels
	r.how.Exact = r.how.Exact && !r.how.Channels // the proof is for one number of channels
	p, err := find(ctx, s, r.how)
	if err != nil {
		s.Close()
		return nil, nil, err
	}
	return s, p, nil
}

// walked is walk with its own progress bar.
func (r *request) walked(c *cobra.Command) (*pimflow.Session, *pimflow.Plan, error) {
	if err := r.settle(c); err != nil {
		return nil, nil, err
	}
	bar := newBar(c)
	defer bar.stop()
	return r.walk(c.Context(), bar, nil)
}

// find searches a plan under the limits of heap.
func find(ctx context.Context, s *pimflow.Session, how pimflow.Search) (*pimflow.Plan, error) {
	g, _, _, _ := s.Internal()
	defer heap(len(g.Nodes))()
	return s.Plan(ctx, how)
}

// withChannels returns a session on the same machine with another number of PIM channels.
func withChannels(s *pimflow.Session, text string) (*pimflow.Session, error) {
	_, m, _, _ := s.Internal()
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > m.Memory.Channels {
		return nil, fault.Usagef("--pim-channels %s: %s, or 0 to %d, the memory channels of machine %s, wanted", text, autoChannels, m.Memory.Channels, m.Name)
	}
	machine, err := s.Machine().Set(fmt.Sprintf("%s=%d", hw.PIMChannels, n))
	if err != nil {
		return nil, err
	}
	return s.On(machine)
}

// heap lets the heap of a search grow to its final size before frequent collections begin, and
// returns a function that undoes that. A search allocates and drops plans; few bytes stay, of
// large graphs for each form of a node (measured: a fourth less time). The limit counts beside the bytes in use before, such as the weights of
// a graph read as text. It grows to twice what is alive: a limit below that would collect without end (measured: three times the
// time).
func heap(nodes int) (undo func()) {
	var before runtime.MemStats
	if runtime.ReadMemStats(&before); before.HeapAlloc > 64<<20 { // what an earlier search left does not count
		runtime.GC()
		runtime.ReadMemStats(&before)
	}
	least := int64(before.HeapAlloc) + 140<<20 + int64(min(nodes, 1000))*100_000
	percent, limit := debug.SetGCPercent(400), debug.SetMemoryLimit(least)
	var mu sync.Mutex
	over := false
	var collected func(*[]byte)
	collected = func(x *[]byte) { // after each collection
		mu.Lock()
		defer mu.Unlock()
		if over {
			return
		}
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		debug.SetMemoryLimit(max(least, 2*int64(live[0].Value.Uint64())))
		runtime.SetFinalizer(x, collected)
	}
	runtime.SetFinalizer(new([]byte), collected)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// tight gives back what a search left, keeps the heap near what is alive while values are computed, and returns a function
// that undoes that. Values are few and large, so that collections are cheap.
func tight() (undo func()) {
	percent := debug.SetGCPercent(25)
	debug.FreeOSMemory()
	return func() { debug.SetGCPercent(percent) }
}

// wide halves the collections of a process that evaluates many points, and returns a function that undoes that: what points share
// stays alive between them. Measured: a tenth less time of processors, 1.4 times the memory. GOGC in the environment counts instead.
func wide() (undo func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	percent := debug.SetGCPercent(200)
	return func() { debug.SetGCPercent(percent) }
}

// machineFlag, policyFlag, modelFlags, planFlag and profileFlag add the flags that commands
// share.
func (r *request) machineFlag(c *cobra.Command, machine string) {
	c.Flags().StringVar(&r.opts.Machine, "machine", machine, "machine by name or .json file")
	changeFlags(c, &r.opts.GPU, &r.opts.Set)
}

// changeFlags adds the flags that change a machine.
func changeFlags(c *cobra.Command, gpu *string, set *[]string) {
	c.Flags().StringVar(gpu, "gpu", "", "replace the machine's GPU by one that pimflow gpu lists, or by a .json file")
	c.Flags().StringArrayVar(set, "set", nil, "change a key of the machine, KEY=VALUE as memory.pim_channels=8; numbers that follow from it change too")
}

// machineFlags are those of a command that loads a machine and no model.
type machineFlags struct {
	name, gpu string
	set       []string
}

func (f *machineFlags) add(c *cobra.Command, machine, usage string) {
	c.Flags().StringVar(&f.name, "machine", machine, usage)
	changeFlags(c, &f.gpu, &f.set)
}

func (f *machineFlags) load() (*hw.Machine, error) {
	m, _, err := hw.LoadWith(f.name, f.gpu, f.set)
	return m, err
}

func (r *request) policyFlag(c *cobra.Command) {
	c.Flags().StringVar(&r.how.Policy, "policy", pimflow.DefaultPolicy, "policy, see pimflow policy")
}

// effortFlags adds --effort and --time-limit.
func (r *request) effortFlags(c *cobra.Command) {
	c.Flags().StringVar(&r.how.Effort, "effort", "normal", "how long auto's local search goes on from its first local optimum: low (not at all), normal, high, or a number of steps a layer; the same plan for any number of processors")
	c.Flags().DurationVar(&r.how.TimeLimit, "time-limit", 0, "end these steps so long after the begin of the search, as 10s; the report has the steps a layer that repeat it")
}

// pinFlag adds --pin.
func (r *request) pinFlag(c *cobra.Command) {
	c.Flags().StringArrayVar(&r.how.Pins, "pin", nil, "keep layers on a device, LAYERS=gpu or LAYERS=pim, where * stands for any text; repeatable, the last for a layer counts")
}

// modelFlags adds the flags that say what a model is opened with.
func (r *request) modelFlags(c *cobra.Command) {
	c.Flags().IntVar(&r.opts.Batch, "batch", 0, "images at once, for models that leave it open (default 1)")
	r.openFlags(c)
}

// openFlags is modelFlags but for --batch.
func (r *request) openFlags(c *cobra.Command) {
	c.Flags().StringArrayVar(&r.shapes, "shape", nil, "[NAME=]SHAPE as 1x3x640x640: the shape of an input, for models that leave it open")
	c.Flags().StringArrayVar(&r.dims, "dim", nil, "NAME=N as height=640: an open dimension that the model names, in all inputs")
	c.Flags().StringArrayVar(&r.opts.Until, "until", nil, "take the network up to this value, by name, instead of its outputs; may be given several times")
	said := map[string]bool{}
	r.opts.Warn = func(text string) {
		if !said[text] { // of a model that is opened several times
			fmt.Fprintf(c.ErrOrStderr(), "pimflow: warning: %s\n", fault.Line(errors.New(text)))
		}
		said[text] = true
	}
}

// bind parses what the flags bind. Names may have a = in them.
func (r *request) bind() error {
	r.opts.Shapes, r.opts.Dims = map[string][]int{}, map[string]int{}
	for _, text := range r.shapes {
		at := strings.LastIndex(text, "=")
		name := text[:max(at, 0)]
		s, err := tensor.ParseShape(text[at+1:])
		if err != nil || at == 0 || slices.Contains(s, 0) {
			return fault.Usagef("--shape %.80s: [NAME=]SHAPE as 1x3x640x640 wanted", text)
		}
		if _, twice := r.opts.Shapes[name]; twice {
			return fault.Usagef("--shape %.80s: a second shape of the input", text)
		}
		r.opts.Shapes[name] = s
	}
	for _, text := range r.dims {
		at := strings.LastIndex(text, "=")
		n, err := strconv.Atoi(text[at+1:])
		if err != nil || n < 1 || at < 1 {
			return fault.Usagef("--dim %.80s: NAME=N as height=640, 1 or more, wanted", text)
		}
		if old, twice := r.opts.Dims[text[:at]]; twice && old != n {
			return fault.Usagef("--dim %.80s: it is %d too", text, old)
		}
		r.opts.Dims[text[:at]] = n
	}
	return nil
}

// planFlag adds --plan, and --machine, which the plan names too.
func (r *request) planFlag(c *cobra.Command, verb string) {
	c.Flags().StringVar(&r.opts.Machine, "machine", "", "machine by name or .json file (default "+pimflow.DefaultMachine+", or the plan's)")
	changeFlags(c, &r.opts.GPU, &r.opts.Set)
	c.Flags().StringVar(&r.plan, "plan", "", verb+" the plan in this file instead of searching one")
}

// plannedFlags adds the flags of a command that works on one plan of a model.
func (r *request) plannedFlags(c *cobra.Command, verb string) {
	r.planFlag(c, verb)
	r.policyFlag(c)
	r.pinFlag(c)
	r.modelFlags(c)
	profileFlag(c, &r.opts.Profile)
}

func profileFlag(c *cobra.Command, to *string) {
	c.Flags().StringVar(to, "gpu-profile", "", "use the measured kernels of this .csv file for the GPU's times, as pimflow profile lists them")
}
