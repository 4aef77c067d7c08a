package emit

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/files"
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
func Perform(ctx context.Context, folder string, man *Manifest, m *hw.Machine, progress run.Progress, see func(s *Step, results []float32)) (*Performed, error) {
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

func performStep(ctx context.Context, folder string, s *Step, meter *pim.Meter, out *Performed) ([]float32, error) {
	if s.Images == nil {
		return nil, fmt.Errorf("%s: step %d has no images", filepath.Join(folder, ManifestName), s.Step)
	}
	x := &pim.StepImage{Matrices: s.Images.Matrices}
	var err error
	if x.Inputs, err = readArray(folder, s.Images.Inputs); err != nil {
		return nil, err
	}
	if x.Results, err = readArray(folder, s.Images.Results); err != nil {
		return nil, err
	}
	results := make([]float32, len(x.Results))
	for _, c := range s.Channels {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ch, err := readChannel(folder, c)
		if err != nil {
			return nil, err
		}
		name := filepath.Join(folder, filepath.FromSlash(c.File))
		f, err := files.Open(name, math.MaxInt64)
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
		out.Reads += int64(len(ch.Reads))
	}
	for i, v := range results {
		if math.Float32bits(v) != math.Float32bits(x.Results[i]) && (v == v || x.Results[i] == x.Results[i]) {
			return nil, fault.As(fault.Infeasible, fmt.Errorf("%s: result %d of the streams is %v: %v wanted", filepath.Join(folder, s.Images.Results.Name), i, v, x.Results[i]))
		}
	}
	out.Steps++
	out.Results += int64(len(results))
	return results, nil
}

// readArray reads numbers of a folder.
func readArray(folder string, file File) ([]float32, error) {
	name := filepath.Join(folder, filepath.FromSlash(file.Name))
	f, err := files.Open(name, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	x, err := npy.Read(f)
	if err == nil && (x.Type != tensor.Float32 || len(x.Shape) != 1) {
		err = fmt.Errorf("%v %v: float32 numbers in a row wanted", x.Type, x.Shape)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return x.Floats(), nil
}

// readChannel reads the images of a channel.
func readChannel(folder string, c *Channel) (*pim.ChannelImage, error) {
	if c.Images == nil {
		return nil, fmt.Errorf("%s: %s has no images", filepath.Join(folder, ManifestName), c.File)
	}
	ch := &pim.ChannelImage{Channel: c.Channel, Results: tensor.Range{Lo: c.Images.Results[0], Hi: c.Images.Results[1]}}
	var err error
	if ch.Weights, err = readArray(folder, c.Images.Weights); err != nil {
		return nil, err
	}
	if ch.Reads, err = readArray(folder, c.Images.Reads); err != nil {
		return nil, err
	}
	name := filepath.Join(folder, filepath.FromSlash(c.Images.Rows.Name))
	f, err := files.Open(name, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.ReuseRecord = true
	for line := 1; ; line++ {
		cells, err := in.Read()
		if err == io.EOF {
			return ch, nil
		}
		if err != nil || line == 1 && strings.Join(cells, ",") != imageRows {
			return nil, fmt.Errorf("%s:%d: lines of %s wanted", name, line, imageRows)
		}
		if line == 1 {
			continue
		}
		var n [10]int
		for i := range n {
			if n[i], err = strconv.Atoi(cells[i]); err != nil {
				return nil, fmt.Errorf("%s:%d: %.80q: a number wanted", name, line, cells[i])
			}
		}
		ch.Rows = append(ch.Rows, pim.RowImage{
			Row: n[0] - c.Rows[0], Chunk: n[1], Width: n[2], Period: n[3], Bank: n[4], Banks: n[5], At: n[6], N: n[7], Phase: n[8], Offset: n[9],
		})
	}
}
