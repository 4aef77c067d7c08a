package pimflow

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/npy"
	"pimflow/internal/tensor"
)

// Tensor is the value of an input or an output of a model, row-major: Floats of a floating
// type, Ints of any other.
type Tensor struct {
	Name   string // of the input or output; may be "" for an input where the model has one
	Type   string // ONNX element type, as float32 or int64; may be "" for an input: the model's
	Shape  []int
	Images int // of an output: the images that its first dimension is; 0: that dimension is none, as of the boxes that a detector finds
	Floats []float32
	Ints   []int64
}

func newTensor(name string, x *tensor.Tensor) Tensor {
	t := Tensor{Name: name, Type: x.Type.String(), Shape: x.Shape}
	if x.Type.Float() {
		t.Floats = x.Floats()
	} else {
		t.Ints = x.Ints()
	}
	return t
}

// as returns the tensor as the value of an input.
func (t *Tensor) as(nd *graph.Node) (*tensor.Tensor, error) {
	from, floats, ints := tensor.Float32, nd.Shape.Size(), 0
	if !nd.Type.Float() {
		from, floats, ints = tensor.Int64, 0, nd.Shape.Size()
	}
	if !nd.Shape.Equal(t.Shape) || len(t.Floats) != floats || len(t.Ints) != ints {
		return nil, fmt.Errorf("input %.80q: shape %v with %d floats and %d integers: shape %v of %v wanted",
			nd.Name, tensor.Shape(t.Shape), len(t.Floats), len(t.Ints), nd.Shape, nd.Type)
	}
	return tensor.Lazy(from, nd.Shape, func() ([]float32, []int64) { return t.Floats, t.Ints }).Convert(nd.Type), nil
}

// WriteNPY writes the tensor as a NumPy .npy file.
func (t *Tensor) WriteNPY(w io.Writer) error {
	typ, err := tensor.ParseType(t.Type)
	if err != nil {
		return err
	}
	return npy.Write(w, tensor.Lazy(typ, t.Shape, func() ([]float32, []int64) { return t.Floats, t.Ints }))
}

// Inputs lists the names of the model's inputs, in order.
func (s *Session) Inputs() []string {
	var names []string
	for _, id := range s.graph.Inputs {
		names = append(names, s.graph.Nodes[id].Name)
	}
	return names
}

// Input reads the value of an input from a .npy file, of the input's shape, or for an input
// 1x3xHxW from a picture (.png, .jpg, .gif): its shorter side is scaled to 256/224 of the
// input's, the centre cut out, and ImageNet's mean and deviation taken off. Where the file leaves height or width open, the
// whole picture is scaled to the input's size instead.
func (s *Session) Input(name, file string) (Tensor, error) {
	nd, err := s.input(name)
	if err != nil {
		return Tensor{}, err
	}
	open := slices.ContainsFunc(s.Bindings(), func(b Binding) bool { return b.Input == nd.Name && b.Dimension >= 2 })
	x, err := readInput(file, nd, s.memory, open)
	if err != nil {
		return Tensor{}, err
	}
	return newTensor(nd.Name, x), nil
}

// input finds an input; "" is the only one.
func (s *Session) input(name string) (*graph.Node, error) {
	names := s.Inputs()
	i := slices.Index(names, name)
	if name == "" && len(names) == 1 {
		i = 0
	}
	if i < 0 {
		return nil, fault.Usagef("%s: input %.80q: one of %s wanted%s", s.name, name, fault.Names(names), nearest.Hint(name, names))
	}
	return &s.graph.Nodes[s.graph.Inputs[i]], nil
}

// InternalValues serves the commands of this module: the values of the graph's inputs, seeded noise where none are given.
func (s *Session) InternalValues(given ...Tensor) ([]*tensor.Tensor, error) { return s.values(given) }

// values returns a tensor for each input of the graph: the given ones, else seeded noise.
func (s *Session) values(given []Tensor) ([]*tensor.Tensor, error) {
	at := map[graph.ID]*tensor.Tensor{}
	for i := range given {
		nd, err := s.input(given[i].Name)
		if err != nil {
			return nil, err
		}
		if at[nd.ID] != nil {
			return nil, fault.Usagef("input %.80q is given twice", nd.Name)
		}
		if at[nd.ID], err = given[i].as(nd); err != nil {
			return nil, err
		}
	}
	var list []*tensor.Tensor
	for i, id := range s.graph.Inputs {
		x := at[id]
		if x == nil {
			x = noise(&s.graph.Nodes[id], uint64(i))
		}
		list = append(list, x)
	}
	return list, nil
}

// Class is one of the largest values of an output. In JSON a score that is no number is the text
// "NaN", "+Inf" or "-Inf".
type Class struct {
	Index int
	Label string // "" for none
	Score float64
}

// Top returns the n largest values of each image of an output, or one list of all its values
// where Images is 0, each with its index within the image and, as far as there are labels, that
// index's label. The first comes first on a tie, NaN last.
func (t *Tensor) Top(n int, labels []string) [][]Class {
	images, size := max(t.Images, 1), len(t.Floats)+len(t.Ints)
	if size == 0 {
		return nil
	}
	at := func(i int) float64 { return float64(t.Ints[i]) }
	if t.Ints == nil {
		at = func(i int) float64 { return float64(t.Floats[i]) }
	}
	each := size / images
	var out [][]Class
	for i := range images {
		index := make([]int, each)
		for k := range index {
			index[k] = k
		}
		slices.SortStableFunc(index, func(a, b int) int {
			return cmp.Compare(at(i*each+b), at(i*each+a))
		})
		var top []Class
		for _, k := range index[:min(n, each)] {
			c := Class{Index: k, Score: at(i*each + k)}
			if k < len(labels) {
				c.Label = labels[k]
			}
			top = append(top, c)
		}
		out = append(out, top)
	}
	return out
}

// number is a value that may be no number.
type number float64

// classJSON is the form of a Class as JSON.
type classJSON struct {
	Index int    `json:"index"`
	Label string `json:"label,omitempty"`
	Score number `json:"score"`
}

// MarshalJSON writes {"index": 7, "label": "goose", "score": 0.5}.
func (c Class) MarshalJSON() ([]byte, error) {
	return json.Marshal(classJSON{c.Index, c.Label, number(c.Score)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Class) UnmarshalJSON(text []byte) error {
	var x classJSON
	err := json.Unmarshal(text, &x)
	*c = Class{x.Index, x.Label, float64(x.Score)}
	return err
}

func (n number) MarshalJSON() ([]byte, error) {
	if v := float64(n); math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.AppendQuote(nil, strconv.FormatFloat(v, 'g', -1, 64)), nil
	}
	return json.Marshal(float64(n))
}

func (n *number) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	if err != nil {
		return fmt.Errorf("%s: a number, \"NaN\", \"+Inf\" or \"-Inf\" wanted", text)
	}
	*n = number(v)
	return nil
}
