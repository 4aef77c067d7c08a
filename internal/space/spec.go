package space

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/job"
)

// Spec is a design space as a file or flags have it. Axes are combined, each value with each.
type Spec struct {
	File    string // that it was read from; "" for flags
	Axes    []Axis // in the order of the points: the last changes first
	Zip     []Group
	Where   []Text // constraints: points for which all hold are in the space
	Sample  *Sample
	Effort  Text  // of every search; "": normal
	Search  Text  // Anchors, Full or All; "": Anchors
	Anchors Count // of a family, at most; none: by its size
}

// How points are searched.
const (
	Full    = job.Full    // each point by itself
	Anchors = job.Anchors // few points of a family by themselves; the others go on from the best of their plans
	All     = job.All     // each point by itself; then each takes the best of all plans of its family
)

// Axis is a dimension: one of Names, or a key of the machine, with its values.
type Axis struct {
	Name   string
	Values []Value
	Line   int // in the file; 0: of a flag
}

// Group is axes that advance together: the first value of each, the second, and so on.
type Group struct {
	Axes []string
	Line int
}

// Text is a word of the spec.
type Text struct {
	Text string
	Line int // in the file; 0: of a flag
}

// Count is a number of the spec.
type Count struct {
	N    int // 0: none
	Line int // in the file; 0: of a flag
}

// Sample says how many of the points are taken.
type Sample struct {
	Points     int
	Method     string // one of Methods
	Seed       uint64
	Population int // of a generation of NSGA2; 0: explore.Population's
	Line       int
}

// The methods of samples.
const (
	Random  = "random"  // each point as likely as any other, none twice
	Latin   = "latin"   // each value of each axis as often as any other
	Halving = "halving" // many points with low effort, and the best of them with more
	NSGA2   = "nsga2"   // generations of points, children of the best before
)

// Methods are the methods of samples.
var Methods = []string{Random, Latin, Halving, NSGA2}

// The axes that are no keys of the machine.
const (
	models     = "models"
	machines   = "machines"
	gpus       = "gpus"
	policies   = "policies"
	objectives = "objectives"
	batches    = "batches"
)

// word is an axis that is no key of the machine.
type word struct {
	name  string // in a file and in zip
	flag  string // of the command, and in constraints
	empty string // the only value where the spec has none; "-": it has to
}

// words are these axes in the order of the points: a family's points follow each other, and a model's do.
var words = []word{
	{models, "model", "-"}, {batches, "batch", "0"}, {machines, "machine", "newton"}, {gpus, "gpu", Own}, {policies, "policy", "auto"}, {objectives, "objective", "latency"},
}

// Own is the value of gpus that stands for the machine's.
const Own = "own"

// Names lists the names of axes that are no keys of the machine, and the flags that set them.
func Names() (names, flags []string) {
	for _, w := range words {
		names, flags = append(names, w.name), append(flags, w.flag)
	}
	return names, flags
}

// find returns the axis of a name; nil for none.
func (s *Spec) find(name string) *Axis {
	if i := slices.IndexFunc(s.Axes, func(a Axis) bool { return a.Name == name }); i >= 0 {
		return &s.Axes[i]
	}
	return nil
}

// Put adds an axis, or takes the place of that of the same name.
func (s *Spec) Put(a Axis) {
	if old := s.find(a.Name); old != nil {
		*old = a
		return
	}
	s.Axes = append(s.Axes, a)
}

// maxFile bounds a spec, in bytes. Estimated: a line for each of a thousand axes; the YAML library takes the square of the length for some files.
const maxFile = 64 << 10

// Load reads a spec. Files that it names lie in its folder, unless their paths are absolute.
func Load(file string) (*Spec, error) {
	data, err := files.Read(file, maxFile)
	if err != nil {
		return nil, err
	}
	s, err := Parse(file, data)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{models, machines, gpus} {
		if a := s.find(name); a != nil {
			for i := range a.Values {
				a.Values[i].Text = besides(file, a.Values[i].Text)
			}
		}
	}
	return s, nil
}

// besides is the path of a name that a file has; of what is built in, the name.
func besides(file, name string) string {
	if filepath.Dir(file) == "." {
		return name
	}
	parts := strings.Split(name, "+") // a machine and its GPU
	for i, p := range parts {
		if (strings.Contains(p, "/") || filepath.Ext(p) != "" && slices.Contains([]string{".onnx", ".graph", ".json"}, filepath.Ext(p))) && !filepath.IsAbs(p) {
			parts[i] = filepath.Join(filepath.Dir(file), p)
		}
	}
	return strings.Join(parts, "+")
}

// errorf is an error of a place in the spec: of its file and line, or of a flag.
func (s *Spec) errorf(line int, name, format string, a ...any) error {
	text := fmt.Sprintf(format, a...)
	if line > 0 {
		return fault.As(fault.Input, fmt.Errorf("%s:%d: %s: %s", s.File, line, name, text))
	}
	return fault.Usagef("%s: %s", flagOf(name), text)
}

// top is the first line of the file, of what is not there; 0 without a file.
func (s *Spec) top() int { return min(len(s.File), 1) }

// flagOf is the flag that sets an axis or another part of a spec.
func flagOf(name string) string {
	if strings.Contains(name, ".") {
		return "--set " + name
	}
	for _, w := range words {
		if w.name == name {
			return "--" + w.flag
		}
	}
	return "--" + name
}

// axisNames lists the names of the axes.
func (s *Spec) axisNames() (names []string) {
	for _, a := range s.Axes {
		names = append(names, a.Name)
	}
	return names
}

// key reports whether an axis is a key of the machine.
func (a *Axis) key() bool {
	return !slices.ContainsFunc(words, func(w word) bool { return w.name == a.Name })
}

// Inputs lists the files that the spec names, and what it names that is built in.
func (s *Spec) Inputs() (list []string) {
	for _, name := range []string{models, machines, gpus} {
		if a := s.find(name); a != nil {
			for _, v := range a.Values {
				list = append(list, v.Text)
			}
		}
	}
	return list
}
