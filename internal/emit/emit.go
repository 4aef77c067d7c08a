// Package emit writes the command streams of a compiled plan as files for other programs: a file for each step on
// the PIM and each channel that is not idle, and a manifest. A timeline and the rows of its weights go in, a folder
// comes out.
//
//	emit.go      steps and channels      format.go    the formats as a table
//	manifest.go  what is in the folder   expand.go    a stream, command by command
//	read.go      a folder, read              check.go   a manifest, held against the machine
//	hold.go      what streams take, held against their manifest
//	images.go    values, written             perform.go  streams performed on them
//	words.go     programs of units, written and read
//
// Memory is that of a stream with its loops, whatever the number of commands. Package trace reads the streams.
package emit

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/hw"
	"pimflow/internal/memory"
	"pimflow/internal/nearest"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// Options say what is written.
type Options struct {
	Layer  string // alone; "": all
	Format string // one of Formats
	Timed  bool   // with the cycle of each command
	Gzip   bool
	Images bool // with the values that streams work on and make
}

// Check is the error of options that contradict each other or a machine.
func (o *Options) Check(m *hw.Machine) error {
	f, err := formatOf(o.Format)
	if err != nil {
		return err
	}
	std, err := pim.Standard(m)
	if err != nil {
		return err
	}
	if f.fits != nil && !f.fits(std) {
		return fault.Usagef("--format %s: machine %s has pim.standard %s: one with host instructions wanted, as --machine aim", f.name, m.Name, m.PIM.Standard)
	}
	if o.Timed && !f.timed {
		return fault.Usagef("--timed: the instructions of --format %s have no cycles: leave it out, or --format csv", f.name)
	}
	return nil
}

// Source is a plan.
type Source struct {
	Model    string // its name
	Machine  *hw.Machine
	Timeline *run.Timeline
	Print    func(io.Writer) error // writes the plan as text
	Values   []*tensor.Tensor      // of the graph's inputs, for images
}

// Folder writes the streams of a plan to a new folder. Of its files the manifest is the last that is made; the
// folder has its name once it is whole. progress, unless nil, is told of streams.
func Folder(ctx context.Context, name string, src Source, o Options, progress run.Progress) (*Manifest, error) {
	m, t := src.Machine, src.Timeline
	if err := o.Check(m); err != nil {
		return nil, err
	}
	steps, err := o.steps(t)
	if err != nil {
		return nil, err
	}
	rows, err := memory.New(t.Program)
	if err != nil {
		return nil, err
	}
	man := newManifest(src.Model, m, t, o)
	unrefreshed := map[*dram.Channel]*dram.Channel{}
	err = files.NewFolder(name, func(folder string) error {
		hash, planHash := sha256.New(), sha256.New()
		err := writeFile(filepath.Join(folder, MachineName), func(w io.Writer) error { return m.Print(io.MultiWriter(w, hash)) })
		if err == nil {
			err = writeFile(filepath.Join(folder, PlanName), func(w io.Writer) error { return src.Print(io.MultiWriter(w, planHash)) })
		}
		if err != nil {
			return err
		}
		images := imageWriter{folder, map[int]*writtenImages{}}
		if o.Images {
			first := func(step, channel int) int { return placesOf(rows, step)[channel].Lo }
			if err := images.execute(ctx, t, src.Values, steps, first, progress); err != nil {
				return err
			}
		}
		man.Hash, man.PlanHash = hex.EncodeToString(hash.Sum(nil)), hex.EncodeToString(planHash.Sum(nil))
		for n, i := range steps {
			w := &stepWriter{ctx: ctx, options: o, folder: folder, unrefreshed: unrefreshed, places: placesOf(rows, i)}
			s, err := w.write(t, i)
			if err != nil {
				return err
			}
			if w := images.steps[i]; w != nil {
				s.Images = w.step
				for _, c := range s.Channels {
					c.Images = w.channels[c.Channel]
				}
			}
			man.add(s)
			if progress != nil {
				progress(n+1, len(steps))
			}
		}
		return writeFile(filepath.Join(folder, ManifestName), func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(man)
		})
	})
	return man, err
}

// placesOf are the rows of a step.
func placesOf(m *memory.Map, step int) []memory.Place {
	return m.Steps[slices.IndexFunc(m.Steps, func(s memory.Step) bool { return s.Index == step })].Places
}

// steps are the indices of the steps that are written.
func (o *Options) steps(t *run.Timeline) (list []int, err error) {
	var names []string
	for i, s := range t.Program.Steps {
		if s.Device != plan.PIM {
			continue
		}
		name := t.Program.Graph.Nodes[s.Node].Name
		names = append(names, name)
		if o.Layer == "" || o.Layer == name {
			list = append(list, i)
		}
	}
	switch {
	case len(names) == 0:
		return nil, fault.As(fault.Infeasible, fmt.Errorf("the plan has no layer on the PIM: it has no streams"))
	case len(list) == 0:
		return nil, fault.Usagef("--layer %.80q has no part on the PIM%s", o.Layer, nearest.Hint(o.Layer, names))
	}
	return list, nil
}

// stepWriter writes the streams of a step.
type stepWriter struct {
	ctx     context.Context
	options Options
	folder  string
	places  []memory.Place

	unrefreshed map[*dram.Channel]*dram.Channel // a channel without refreshes for each
}

func (w *stepWriter) write(t *run.Timeline, i int) (*Step, error) {
	p := t.Program
	s := &p.Steps[i]
	code := device.Bare(s.Code).(*pim.Code)
	f, _ := formatOf(w.options.Format)
	out := newStep(t, i, code)
	if w.unrefreshed[code.DRAM()] == nil {
		w.unrefreshed[code.DRAM()] = code.DRAM().Unrefreshed()
	}
	dir := stepFolder(p, i)
	if err := os.MkdirAll(filepath.Join(w.folder, dir), 0o777); err != nil {
		return nil, err
	}
	err := code.Streams(func(c *pim.ChannelStream) error {
		moved := *c
		moved.Stream = code.Commands().Moved(c.Stream, w.places[c.Channel].Lo)
		ch := newChannel(w.unrefreshed[code.DRAM()], code, c, w.places[c.Channel].Range)
		ch.File = fmt.Sprintf("%s/channel-%02d.%s", dir, c.Channel, f.ending)
		if w.options.Gzip {
			ch.File += ".gz"
		}
		hash := sha256.New()
		size := counter{}
		err := writeFile(filepath.Join(w.folder, filepath.FromSlash(ch.File)), func(to io.Writer) error {
			return w.compressed(io.MultiWriter(to, hash, &size), func(to *bufio.Writer) error {
				return f.write(to, code, &moved, w.options.Timed)
			})
		})
		ch.SHA256, ch.Bytes = hex.EncodeToString(hash.Sum(nil)), size.n
		out.Channels = append(out.Channels, ch)
		return err
	})
	return out, err
}

// compressed writes through gzip where it is wanted. The bytes depend on nothing else.
func (w *stepWriter) compressed(to io.Writer, write func(*bufio.Writer) error) error {
	to = &until{w.ctx, to}
	if !w.options.Gzip {
		b := bufio.NewWriterSize(to, 1<<16)
		if err := write(b); err != nil {
			return err
		}
		return b.Flush()
	}
	z := gzip.NewWriter(to)
	b := bufio.NewWriterSize(z, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return z.Close()
}

// until writes until its context ends.
type until struct {
	ctx context.Context
	to  io.Writer
}

func (u *until) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.to.Write(p)
}

// counter counts bytes.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// writeFile writes a file of a folder that has no name yet.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// fileName is the name of a layer as every file system takes it.
func fileName(layer string) string {
	const most = 40
	name := strings.Map(func(r rune) rune {
		if r < 128 && (r == '.' || r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z') {
			return r
		}
		return '_'
	}, layer)
	return strings.TrimRight(name[:min(len(name), most)], ".")
}

// firstCycle is the cycle of a stream's first command, or of the first of a change of mode before it.
func firstCycle(ch *dram.Channel, st dram.Stream) (at dram.Cycle) {
	run := ch.Run()
	run.Observe(func(_ dram.Op, x dram.Cycle) {
		if at == 0 {
			at = x
		}
	})
	st.Walk(func(k *dram.Command, _ []int) bool {
		run.Issue(k.Op)
		return false
	})
	return at
}
