package calibrate

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/csvtext"
	"pimflow/internal/nearest"
	"pimflow/internal/zoo"
)

// Row is one measured kernel.
type Row struct {
	Place              string // FILE:LINE
	Dataset, GPU       string
	Dtype, Op          string // "fp16", "fp32" or "int8"; "conv", "dwconv", "gemm", "add" or "relu"
	N, C, H, W         int    // of a convolution's input
	K, R, S            int    // its output channels and its kernel
	StrideH, StrideW   int
	PadH, PadW, Groups int
	Transposed         string // "T" where the first operand of a product is transposed, in the words of BLAS
	M, Cols, Depth     int    // of a matrix product: M×Depth by Depth×Cols
	US                 float64
	Kernel             string // the kernel's name in a profile, or ""
}

// Rows and columns of the output of a convolution.
func (r *Row) P() int { return (r.H+2*r.PadH-r.R)/r.StrideH + 1 }
func (r *Row) Q() int { return (r.W+2*r.PadW-r.S)/r.StrideW + 1 }

// shape identifies the geometry of what was computed, whatever it was computed with and of
// however many images: rows of one shape are never on both sides of a cross-validation.
func (r *Row) shape() string {
	switch {
	case r.Op == "gemm":
		return fmt.Sprint(r.M, r.Cols, r.Depth)
	case r.elementwise():
		return fmt.Sprint(r.N, r.C)
	}
	return fmt.Sprint(r.C, r.H, r.W, r.K, r.R, r.S, r.StrideH, r.StrideW, r.PadH, r.PadW, r.Groups)
}

// elementwise reports whether a row is of N×C values, each of which is made of one of each
// operand.
func (r *Row) elementwise() bool { return r.Op == "add" || r.Op == "relu" }

// slow reports whether a row is marked as another mode of its library, in which times say
// nothing of the work.
func (r *Row) slow() bool { return r.Kernel == "slow-mode" }

// other reports whether a kernel computes what its class of kernels does not: a slow mode, or
// fewer products by Winograd's method. Such rows are not fitted.
func (r *Row) other() bool {
	return r.slow() || strings.Contains(strings.ToLower(r.Kernel), "winograd")
}

// Network is one measured network.
type Network struct {
	Place      string
	Name       string // as the table has it
	Batch      int
	US         float64
	Source     string // the software that ran it
	GPU, Dtype string // T4 and fp16 where the table does not say
}

// Measured is the contents of files of measurements.
type Measured struct {
	Rows     []Row
	Networks []Network
}

// column is a column of a table of kernels.
type column struct {
	name     string
	ops      string // the operators whose rows need it; "" for all
	optional bool
	whole    func(r *Row) *int // the field of a whole number
	min      int
	text     func(r *Row) *string
	known    []string // the allowed texts
}

// most bounds a whole number, so that products of a row stay finite.
const most = 1 << 20

// columns are the columns of a table of kernels. P and Q follow from the others and are
// checked.
var columns = []column{
	{name: "dataset", optional: true, text: func(r *Row) *string { return &r.Dataset }},
	{name: "gpu", text: func(r *Row) *string { return &r.GPU }},
	{name: "dtype", text: func(r *Row) *string { return &r.Dtype }, known: []string{"fp16", "fp32", "int8"}},
	{name: "op", text: func(r *Row) *string { return &r.Op }, known: []string{"conv", "dwconv", "gemm", "add", "relu"}},
	{name: "N", ops: "conv dwconv add relu", min: 1, whole: func(r *Row) *int { return &r.N }},
	{name: "C", ops: "conv dwconv add relu", min: 1, whole: func(r *Row) *int { return &r.C }},
	{name: "H", ops: "conv dwconv", min: 1, whole: func(r *Row) *int { return &r.H }},
	{name: "W", ops: "conv dwconv", min: 1, whole: func(r *Row) *int { return &r.W }},
	{name: "K", ops: "conv dwconv", min: 1, whole: func(r *Row) *int { return &r.K }},
	{name: "R", ops: "conv dwconv", min: 1, whole: func(r *Row) *int { return &r.R }},
	{name: "S", ops: "conv dwconv", min: 1, whole: func(r *Row) *int { return &r.S }},
	{name: "stride_h", ops: "conv dwconv", min: 1, whole: func(r *Row) *int { return &r.StrideH }},
	{name: "stride_w", ops: "conv dwconv", min: 1, whole: func(r *Row) *int { return &r.StrideW }},
	{name: "pad_h", ops: "conv dwconv", whole: func(r *Row) *int { return &r.PadH }},
	{name: "pad_w", ops: "conv dwconv", whole: func(r *Row) *int { return &r.PadW }},
	{name: "groups", ops: "conv dwconv", min: 1, whole: func(r *Row) *int { return &r.Groups }},
	{name: "gm", ops: "gemm", min: 1, whole: func(r *Row) *int { return &r.M }},
	{name: "gn", ops: "gemm", min: 1, whole: func(r *Row) *int { return &r.Cols }},
	{name: "gk", ops: "gemm", min: 1, whole: func(r *Row) *int { return &r.Depth }},
	{name: "ta", optional: true, text: func(r *Row) *string { return &r.Transposed }},
	{name: "kernels", optional: true, text: func(r *Row) *string { return &r.Kernel }},
}

// extra are columns that may be there: P and Q are checked, the others not used.
var extra = []string{"P", "Q", "tb", "split"}

// Read adds the measurements of a CSV file: kernels, or networks where the columns
// are model,batch,ms,source (and gpu, dtype, licence). An error is a line of file, line, column, value and
// what was wanted.
func (m *Measured) Read(file string, in io.Reader) error {
	t := table{file: file, csv: csv.NewReader(in)}
	head, err := t.csv.Read()
	if err == io.EOF {
		return fmt.Errorf("%s:1: it is empty: columns as gpu,dtype,op,…,time_us wanted", file)
	}
	if err != nil {
		return csvtext.Broken(file, err)
	}
	t.at = map[string]int{}
	for i, name := range head {
		name = strings.TrimPrefix(name, "\ufeff") // a spreadsheet's byte order mark
		if _, twice := t.at[name]; twice {
			return fmt.Errorf("%s:1: column %.80q is there twice", file, name)
		}
		t.at[name] = i
	}
	next, known, optional := m.kernel, kernelColumns(false), kernelColumns(true)
	if _, ok := t.at["model"]; ok {
		next, known, optional = m.network, []string{"model", "batch", "ms", "source", "gpu", "dtype", "licence"}, []string{"gpu", "dtype", "licence"}
	}
	for _, name := range known {
		if _, ok := t.at[name]; !ok && !slices.Contains(optional, name) {
			return fmt.Errorf("%s:1: column %.80q is missing: the columns %s wanted", file, name, strings.Join(known, ","))
		}
	}
	for _, name := range head {
		if name = strings.TrimPrefix(name, "\ufeff"); !slices.Contains(known, name) {
			return fmt.Errorf("%s:1: column %.80q is not known%s: the columns %s wanted", file, name, nearest.Hint(name, known), strings.Join(known, ","))
		}
	}
	for {
		t.record, err = t.csv.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return csvtext.Broken(file, err)
		}
		if err := next(&t); err != nil {
			return err
		}
	}
}

// kernelColumns lists the columns of a table of kernels, or the optional ones.
func kernelColumns(optional bool) (names []string) {
	for _, c := range columns {
		if !optional || c.optional {
			names = append(names, c.name)
		}
	}
	if !optional {
		names = append(names, "time_us")
	}
	return append(names, extra...)
}

// table is a CSV file and its current record.
type table struct {
	file   string
	csv    *csv.Reader
	at     map[string]int
	record []string
}

// place is FILE:LINE of the record.
func (t *table) place() string {
	line, _ := t.csv.FieldPos(0)
	return fmt.Sprintf("%s:%d", t.file, line)
}

func (t *table) text(column string) string {
	if i, ok := t.at[column]; ok {
		return strings.TrimSpace(t.record[i])
	}
	return ""
}

// bad is the error of a cell.
func (t *table) bad(column, wanted string) error {
	return fmt.Errorf("%s: %s: %.80q: %s wanted", t.place(), column, t.text(column), wanted)
}

// positive reads a time.
func (t *table) positive(column string) (float64, error) {
	x, err := csvtext.Number(t.text(column))
	if err != nil || !(x > 0) || math.IsInf(x, 0) || x > 1e12 {
		return 0, t.bad(column, "a number above 0")
	}
	return x, nil
}

// kernel reads a row of kernels.
func (m *Measured) kernel(t *table) error {
	r := Row{Place: t.place()}
	for _, c := range columns {
		text := t.text(c.name)
		switch {
		case c.text != nil:
			if text == "" && !c.optional || c.known != nil && !slices.Contains(c.known, text) {
				wanted := "a name"
				if c.known != nil {
					wanted = "one of " + strings.Join(c.known, ", ")
				}
				return t.bad(c.name, wanted)
			}
			*c.text(&r) = text
		case slices.Contains(strings.Fields(c.ops), r.Op):
			n, err := strconv.Atoi(text)
			if err != nil || n < c.min || n > most {
				return t.bad(c.name, fmt.Sprintf("a whole number of %d to %d", c.min, most))
			}
			*c.whole(&r) = n
		}
	}
	var err error
	if r.US, err = t.positive("time_us"); err != nil {
		return err
	}
	if r.Op != "gemm" && !r.elementwise() {
		if err := t.window(&r); err != nil {
			return err
		}
	}
	m.Rows = append(m.Rows, r)
	return nil
}

// window checks the numbers of a convolution against each other.
func (t *table) window(r *Row) error {
	for _, d := range []struct {
		kernel, out           string
		in, size, pad, output int
	}{{"R", "P", r.H, r.R, r.PadH, r.P()}, {"S", "Q", r.W, r.S, r.PadW, r.Q()}} {
		if d.size > d.in+2*d.pad {
			return t.bad(d.kernel, fmt.Sprintf("at most the padded input, %d,", d.in+2*d.pad))
		}
		if text := t.text(d.out); text != "" && text != strconv.Itoa(d.output) {
			return t.bad(d.out, fmt.Sprintf("%d, which follows from input, kernel, stride and padding,", d.output))
		}
	}
	switch {
	case r.C%r.Groups != 0 || r.K%r.Groups != 0:
		return t.bad("groups", fmt.Sprintf("a divisor of C, %d, and K, %d,", r.C, r.K))
	case r.Op == "dwconv" && r.Groups != r.C:
		return t.bad("groups", fmt.Sprintf("C, %d, of a depthwise convolution", r.C))
	}
	return nil
}

// network reads a row of networks.
func (m *Measured) network(t *table) error {
	n := Network{Place: t.place(), Name: t.text("model"), Source: t.text("source"),
		GPU: cmp.Or(t.text("gpu"), "T4"), Dtype: cmp.Or(t.text("dtype"), "fp16")}
	if n.Name == "" {
		return t.bad("model", "the name of a network of torchvision")
	}
	batch, err := strconv.Atoi(t.text("batch"))
	if err != nil || batch < 1 || batch > zoo.MaxBatch {
		return t.bad("batch", fmt.Sprintf("a whole number of 1 to %d", zoo.MaxBatch))
	}
	n.Batch = batch
	if n.Source == "" {
		return t.bad("source", "the name of the software that ran it")
	}
	ms, err := t.positive("ms")
	if err != nil {
		return err
	}
	n.US = ms * 1e3
	m.Networks = append(m.Networks, n)
	return nil
}
