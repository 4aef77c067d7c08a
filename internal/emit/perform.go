package emit

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"pimflow/internal/csvtext"
	"pimflow/internal/fault"
	"pimflow/internal/hw"
	"pimflow/internal/npy"
	"pimflow/internal/pim"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// ValuesSchema names the form of Performed's JSON.
const ValuesSchema = "pimflow.sim.values/1"

// Performed is what the streams of a folder make of its images.
type Performed struct {
	Schema   string `json:"schema"`
	Steps    int    `json:"steps"`
	Channels int    `json:"channels"`
	Reads    int64  `json:"values_read"` // from the banks, each equal to the image's to the bit
	Results  int64  `json:"results"`     // sums of all channels, each equal to the image's to the bit
}

// Perform performs the streams of a folder on its images: banks hold the weights, buffer writes carry inputs, and what result reads
// return is added up. Every value that is read and every result must be the one that the plan's execution made, to the bit. see, unless nil, is
// told of the results of each step.
func Perform(ctx context.Context, folder string, man *Manifest, m *hw.Machine, progress run.Progress, see func(s *Step, results *pim.Sums)) (*Performed, error) {
	if !man.Images || man.Format != formats[0].name || man.Timed {
		return nil, fault.Usagef("%s: loop nests with images wanted: pimflow emit --images, without --format and --timed", folder)
	}
	meter, err := pim.NewMeter(m)
	if err != nil {
		return nil, err
	}
	out := &Performed{Schema: ValuesSchema}
	for n, s := range man.Steps {
		results, err := performStep(ctx, folder, s, meter, out)
		if err != nil {
			return nil, err
		}
		if see != nil {
			see(s, results)
		}
		if progress != nil {
			progress(n+1, len(man.Steps))
		}
	}
	return out, nil
}

func performStep(ctx context.Context, folder string, s *Step, meter *pim.Meter, out *Performed) (*pim.Sums, error) {
	if s.Images == nil {
		return nil, fmt.Errorf("%s: step %d has no images", filepath.Join(folder, ManifestName), s.Step)
	}
	x := &pim.StepImage{Matrices: s.Images.Matrices, Program: s.Images.Program}
	in := images{folder, meter.Exact()}
	var err error
	if x.Inputs, err = in.operands(s.Images.Inputs); err != nil {
		return nil, err
	}
	if x.Results, err = in.sums(s.Images.Results); err != nil {
		return nil, err
	}
	results := meter.NewSums(x.Results.Len())
	for _, c := range s.Channels {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ch, err := in.channel(c, x.Program != "")
		if err != nil {
			return nil, err
		}
		name := filepath.Join(folder, filepath.FromSlash(c.File))
		f, err := openRegular(name)
		if err != nil {
			return nil, err
		}
		st, err := meter.ParseStream(name, f)
		f.Close()
		if err != nil {
			return nil, err
		}
		rows := c.Rows[1] - c.Rows[0]
		if rows < 0 || rows > meter.Rows() {
			return nil, fmt.Errorf("%s: rows %d to %d", filepath.Join(folder, ManifestName), c.Rows[0], c.Rows[1])
		}
		if err := meter.Perform(meter.Commands().Moved(st, -c.Rows[0]), rows, x, ch, results); err != nil {
			return nil, fault.As(fault.Infeasible, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "pim: ")))
		}
		out.Channels++
		out.Reads += int64(ch.Reads.Len())
	}
	if i, got, want, differ := results.Differ(0, x.Results); differ {
		return nil, fault.As(fault.Infeasible, fmt.Errorf("%s: result %d of the streams is %s: %s wanted", filepath.Join(folder, s.Images.Results.Name), i, got, want))
	}
	out.Steps++
	out.Results += int64(results.Len())
	return results, nil
}

// images reads the values of a folder.
type images struct {
	folder string
	exact  bool // the machine adds integers
}

// array reads numbers in a row.
func (m *images) array(file File) (*tensor.Tensor, error) {
	name := filepath.Join(m.folder, filepath.FromSlash(file.Name))
	f, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	x, err := npy.Read(f)
	if want := numberType(m.exact); err == nil && (x.Type != want || len(x.Shape) != 1) {
		err = fmt.Errorf("%v %v: %v numbers in a row wanted", x.Type, x.Shape, want)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return x, nil
}

// maxInteger is the most that an integer of 8 bits can be away from its zero point.
const maxInteger = 255

// operands reads inputs or weights.
func (m *images) operands(file File) ([]float32, error) {
	x, err := m.array(file)
	switch {
	case err != nil:
		return nil, err
	case !m.exact:
		return x.Floats(), nil
	}
	v := make([]float32, len(x.Ints()))
	for i, n := range x.Ints() {
		if n < -maxInteger || n > maxInteger {
			return nil, fmt.Errorf("%s: number %d is %d: %d to %d wanted", filepath.Join(m.folder, filepath.FromSlash(file.Name)), i, n, -maxInteger, maxInteger)
		}
		v[i] = float32(n)
	}
	return v, nil
}

// sums reads what result reads return, or what is added up of it.
func (m *images) sums(file File) (*pim.Sums, error) {
	x, err := m.array(file)
	switch {
	case err != nil:
		return nil, err
	case !m.exact:
		return &pim.Sums{Rounded: x.Floats()}, nil
	}
	v := make([]float64, len(x.Ints()))
	for i, n := range x.Ints() {
		v[i] = float64(n)
	}
	return &pim.Sums{Exact: v}, nil
}

// channel reads the images of a channel, with its programs where units execute them.
func (m *images) channel(c *Channel, programmed bool) (*pim.ChannelImage, error) {
	folder := m.folder
	if c.Images == nil {
		return nil, fmt.Errorf("%s: %s has no images", filepath.Join(folder, ManifestName), c.File)
	}
	ch := &pim.ChannelImage{Channel: c.Channel, Results: tensor.Range{Lo: c.Images.Results[0], Hi: c.Images.Results[1]}}
	var err error
	if ch.Weights, err = m.operands(c.Images.Weights); err != nil {
		return nil, err
	}
	reads, err := m.sums(c.Images.Reads)
	if err != nil {
		return nil, err
	}
	ch.Reads = *reads
	if programmed {
		if ch.Words, err = readWords(filepath.Join(folder, filepath.FromSlash(c.Images.Program.Name))); err != nil {
			return nil, err
		}
	}
	name := filepath.Join(folder, filepath.FromSlash(c.Images.Rows.Name))
	f, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	err = csvtext.Rows(name, f, imageRows, func(line int, cells []string) error {
		var n [10]int
		for i := range n {
			var err error
			if n[i], err = strconv.Atoi(cells[i]); err != nil {
				return fmt.Errorf("%s:%d: %.80q: a number wanted", name, line, cells[i])
			}
		}
		ch.Rows = append(ch.Rows, pim.RowImage{
			Row: n[0] - c.Rows[0], Chunk: n[1], Width: n[2], Period: n[3], Bank: n[4], Banks: n[5], At: n[6], N: n[7], Phase: n[8], Offset: n[9],
		})
		return nil
	})
	return ch, err
}
