package emit

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/npy"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// imageRows are the columns of a channel's table of rows: the fields of pim.RowImage, whose Row counts in the banks here.
var imageRows = []string{"row", "chunk", "width", "period", "bank", "banks", "element", "elements", "phase", "offset"}

// imageWriter writes the values of a plan's steps while it is executed.
type imageWriter struct {
	folder string
	steps  map[int]*writtenImages
}

// writtenImages are those of a step.
type writtenImages struct {
	step     *Images
	channels map[int]*ChannelImages
}

// execute executes the plan on values of its inputs and writes the images of some steps; first is the first row of each channel of a step.
func (w *imageWriter) execute(ctx context.Context, t *run.Timeline, values []*tensor.Tensor, steps []int, first func(step, channel int) int, progress run.Progress) error {
	p := t.Program
	_, err := run.EvalSeen(ctx, p, values, progress, func(s *program.Step, in []*tensor.Tensor, _ *tensor.Tensor) error {
		i := slices.IndexFunc(p.Steps, func(x program.Step) bool { return x.Device == plan.PIM && x.Node == s.Node && x.Box.Equal(s.Box) })
		if s.Device != plan.PIM || !slices.Contains(steps, i) {
			return nil
		}
		return w.write(i, stepFolder(p, i), device.Bare(s.Code).(*pim.Code), in, func(channel int) int { return first(i, channel) })
	})
	return err
}

// stepFolder is the name of a step's folder.
func stepFolder(p *program.Program, i int) string {
	return fmt.Sprintf("%04d-%s", i, fileName(p.Graph.Nodes[p.Steps[i].Node].Name))
}

// write writes the images of a step, those of a channel as soon as they are made.
func (w *imageWriter) write(step int, dir string, code *pim.Code, in []*tensor.Tensor, first func(channel int) int) (err error) {
	if err := os.MkdirAll(filepath.Join(w.folder, dir), 0o777); err != nil {
		return err
	}
	out := &writtenImages{&Images{}, map[int]*ChannelImages{}}
	x, err := code.Image(in, func(ch *pim.ChannelImage) (err error) {
		name := func(what string) string { return fmt.Sprintf("%s/channel-%02d-%s", dir, ch.Channel, what) }
		c := &ChannelImages{Results: [2]int{ch.Results.Lo, ch.Results.Hi}}
		if c.Weights, err = w.operands(name("weights.npy"), code, ch.Weights); err != nil {
			return err
		}
		if c.Reads, err = w.sums(name("reads.npy"), code, &ch.Reads); err != nil {
			return err
		}
		if len(ch.Words) > 0 {
			if c.Program, err = w.file(name("program.csv"), func(to io.Writer) error { return writeWords(to, ch.Words) }); err != nil {
				return err
			}
		}
		c.Rows, err = w.file(name("rows.csv"), func(to io.Writer) error { return writeRows(to, ch, first(ch.Channel)) })
		out.channels[ch.Channel] = c
		return err
	})
	if err != nil {
		return err
	}
	out.step.Matrices, out.step.Program = x.Matrices, x.Program
	if out.step.Inputs, err = w.operands(dir+"/inputs.npy", code, x.Inputs); err != nil {
		return err
	}
	if out.step.Results, err = w.sums(dir+"/results.npy", code, x.Results); err != nil {
		return err
	}
	w.steps[step] = out
	return nil
}

// numberType is the type of numbers in files: int32 on a machine that adds integers.
func numberType(exact bool) tensor.Type {
	if exact {
		return tensor.Int32
	}
	return tensor.Float32
}

// operands writes inputs or weights.
func (w *imageWriter) operands(name string, code *pim.Code, v []float32) (File, error) {
	return w.array(name, code.Exact(), len(v), func() ([]float32, []int64) {
		if code.Exact() {
			return nil, wholes(v)
		}
		return v, nil
	})
}

// sums writes what result reads return, or what is added up of it.
func (w *imageWriter) sums(name string, code *pim.Code, v *pim.Sums) (File, error) {
	return w.array(name, code.Exact(), v.Len(), func() ([]float32, []int64) { return v.Rounded, wholes(v.Exact) })
}

// wholes are whole numbers as integers.
func wholes[T float32 | float64](v []T) []int64 {
	out := make([]int64, len(v))
	for i, x := range v {
		out[i] = int64(x)
	}
	return out
}

func (w *imageWriter) array(name string, exact bool, n int, load func() ([]float32, []int64)) (File, error) {
	return w.file(name, func(to io.Writer) error { return npy.Write(to, tensor.Lazy(numberType(exact), tensor.Shape{n}, load)) })
}

// file writes a file and hashes it.
func (w *imageWriter) file(name string, write func(io.Writer) error) (File, error) {
	hash := sha256.New()
	err := writeFile(filepath.Join(w.folder, filepath.FromSlash(name)), func(to io.Writer) error { return write(io.MultiWriter(to, hash)) })
	return File{name, hex.EncodeToString(hash.Sum(nil))}, err
}

func writeRows(to io.Writer, ch *pim.ChannelImage, first int) error {
	b := bufio.NewWriter(to)
	fmt.Fprintln(b, strings.Join(imageRows, ","))
	var line []byte
	for _, r := range ch.Rows {
		line = line[:0]
		for _, n := range []int{first + r.Row, r.Chunk, r.Width, r.Period, r.Bank, r.Banks, r.At, r.N, r.Phase, r.Offset} {
			line = append(strconv.AppendInt(line, int64(n), 10), ',')
		}
		line[len(line)-1] = '\n'
		b.Write(line)
	}
	return b.Flush()
}
