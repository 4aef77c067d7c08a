package pim

import (
	"errors"
	"fmt"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/tensor"
	"pimflow/internal/vector"
)

// StepImage is the values that the streams of a code work on and make: those of all channels, in the machine's number format. On a machine that
// adds integers they are the integers less their zero points.
type StepImage struct {
	Inputs   []float32 // the source matrices, by the element that a write of a buffer or a register names
	Matrices []Matrix
	Program  string // the way in which programs compute the product; "": the units execute none
	Results  *Sums  // by the element that a result read names: the sums of all channels, in their order
}

// Matrix is where the rows of a source matrix and of its results are.
type Matrix struct {
	Source int `json:"source"` // the first element
	Result int `json:"result"`
	Rows   int `json:"rows"`
	Pitch  int `json:"pitch"`   // elements from a source row to the next, with those that are 0 behind it
	Width  int `json:"outputs"` // of a row of results; a read returns no values of two rows
}

// ChannelImage is what the banks of a channel hold, and what its result reads return.
type ChannelImage struct {
	Channel int
	Rows    []RowImage
	Weights []float32
	Words   []uint32     // of programs, by the word that a write of the program memory names
	Results tensor.Range // of StepImage.Results: those that the channel adds to
	Reads   Sums         // one result read after the other, each as long as MAC units have results; of programmed units a column of a bank
}

// RowImage is weights in a row of neighbouring banks; what no image names is 0. Element e of the row belongs to chunk e/Width modulo Period. The
// banks' weights of a chunk begin at element At of it; those of bank b are N weights from Offset+(b-Bank)*N on.
type RowImage struct {
	Row, Chunk, Width, Period int
	Bank, Banks               int
	At, N                     int
	Phase                     int // the number of the first weight modulo 4: the order of additions depends on it
	Offset                    int
}

// Image performs the streams on a node's inputs, and returns what they work on and make. each takes the image of a channel, which is not kept.
func (c *Code) Image(in []*tensor.Tensor, each func(*ChannelImage) error) (*StepImage, error) {
	return c.mapped().image(in, each)
}

func (c *mappedCode) image(in []*tensor.Tensor, each func(*ChannelImage) error) (*StepImage, error) {
	o := c.operands([]device.Evaluation{{In: in}})
	x := &StepImage{Results: newResults(c.layer.results(), c.device.exact())}
	if p := c.device.program; p != nil {
		x.Program = p.name
	}
	c.sources(x, o)
	m := new(room)
	for i, s := range c.perChannel() {
		if len(s) == 0 {
			continue
		}
		m.numbers = m.numbers[:0]
		ch := &ChannelImage{Channel: i, Results: s.results(c.device.outputs)}
		image := c.imageChannel
		if p, ok := c.device.scheme.(programs); ok {
			image = func(m *room, s share, o *operands, ch *ChannelImage) (*Sums, int) { return p.image(c, m, s, o, ch) }
		}
		sums, at := image(m, s, o, ch)
		x.Results.add(at, sums)
		if err := each(ch); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// imageChannel performs the stream of a channel and adds what it works on and what is read to its image.
func (c *mappedCode) imageChannel(m *room, s share, o *operands, ch *ChannelImage) (sums *Sums, at int) {
	p := c.performer(m, s, o)
	p.seen = func(_ int, v Sums) { ch.Reads.append(v) }
	c.performOn(p, m, s)
	rows := c.device.scheme.rows(s)
	for row := range p.rows {
		if p.rows[row] == nil {
			p.rows[row] = p.load(rows.Lo + row)
		}
		ch.hold(row, p.rows[row])
	}
	return p.reads[0], p.lo
}

// Exact reports whether operands are integers and sums are not rounded.
func (c *Code) Exact() bool { return c.device.exact() }

// sources writes the source matrices.
func (c *mappedCode) sources(x *StepImage, o *operands) {
	if e := c.layer.each; e != nil { // the scalars
		x.Inputs = o.x[0]
		x.Matrices = append(x.Matrices, Matrix{0, 0, len(c.layer.batch), matrixScalars, c.layer.groupOuts})
		return
	}
	var done []*block
	for i := range c.parts {
		b := c.parts[i].block
		seen := false
		for _, d := range done {
			seen = seen || d == b
		}
		if seen {
			continue
		}
		done = append(done, b)
		rows := b.count * b.pixels
		x.Matrices = append(x.Matrices, Matrix{b.source, b.result, rows, b.pitch, b.outs})
		if end := b.source + rows*b.pitch; end > len(x.Inputs) {
			x.Inputs = append(x.Inputs, make([]float32, end-len(x.Inputs))...)
		}
		p := pixelPlace{block: b}
		for row := range rows {
			o.of(b).locate(&p, row/b.pixels, row%b.pixels)
			o.of(b).fill([][]float32{x.Inputs}, b.source+row*b.pitch, b.pitch, &p, 0)
		}
	}
}

// hold adds a row of all banks.
func (ch *ChannelImage) hold(row int, l *loaded) {
	for chunk, pack := range l.packs {
		for i := range pack {
			r := &pack[i]
			ch.Rows = append(ch.Rows, RowImage{row, chunk, l.width, l.period, r.first, r.count, r.at, r.n, r.phase, len(ch.Weights)})
			ch.Weights = append(ch.Weights, r.w.V[:r.count*r.n]...)
		}
	}
}

// String has all numbers, by the names that they have in tables of rows; the row is that of the stream.
func (r RowImage) String() string {
	return fmt.Sprintf("row %d of the stream, chunk %d, width %d, period %d, bank %d, banks %d, element %d, elements %d, phase %d, offset %d", r.Row, r.Chunk, r.Width, r.Period, r.Bank, r.Banks, r.At, r.N, r.Phase, r.Offset)
}

// imageContents are the values of images.
type imageContents struct {
	step *StepImage
	rows map[int]*loaded
}

// newImageContents are those of a channel. The error names a row image that does not fit.
func (d *Device) newImageContents(step *StepImage, ch *ChannelImage) (*imageContents, error) {
	c := &imageContents{step, map[int]*loaded{}}
	for i, r := range ch.Rows {
		fits := r.Row >= 0 && r.Chunk >= 0 && r.Width > 0 && r.Period > r.Chunk && r.Period <= d.columns && r.Bank >= 0 && r.Banks > 0 && r.Banks <= d.banks &&
			r.Bank <= d.banks-r.Banks && r.At >= 0 && r.N > 0 && r.N <= r.Width && r.At <= r.Width-r.N && r.Width <= d.columns*d.lanes && r.Phase >= 0 && r.Phase < 4 &&
			r.Offset >= 0 && r.Offset <= len(ch.Weights)-r.Banks*r.N
		l := c.rows[r.Row]
		if fits && l == nil {
			l = &loaded{width: r.Width, period: r.Period}
			c.rows[r.Row] = l
		}
		if !fits || l.width != r.Width || l.period != r.Period {
			return nil, fmt.Errorf("row image %d: %v: a part of a row of %d elements in %d banks wanted, and of %d weights", i, r, d.columns*d.lanes, d.banks, len(ch.Weights))
		}
		for len(l.packs) <= r.Chunk {
			l.packs = append(l.packs, nil)
		}
		l.packs[r.Chunk] = append(l.packs[r.Chunk], bankRows{
			first: r.Bank, count: r.Banks, at: r.At, n: r.N, phase: r.Phase, w: vector.Matrix[float32]{V: ch.Weights[r.Offset:][:r.Banks*r.N], Step: r.N},
		})
	}
	return c, nil
}

func (c *imageContents) fill(to [][]float32, first, n, at int) {
	if at < 0 || at > len(c.step.Inputs)-n {
		panic(fmt.Sprintf("pim: elements %d to %d of %d inputs", at, at+n, len(c.step.Inputs)))
	}
	copy(to[0][first:first+n], c.step.Inputs[at:])
}

func (c *imageContents) load(row int) *loaded {
	if l := c.rows[row]; l != nil {
		return l
	}
	return &loaded{width: 1, period: 1}
}

func (c *imageContents) outputs(at, most int) int {
	for _, m := range c.step.Matrices {
		if at >= m.Result && at < m.Result+m.Rows*m.Width {
			return min(most, m.Width-(at-m.Result)%m.Width)
		}
	}
	panic(fmt.Sprintf("pim: no matrix has result %d", at))
}

// Exact reports whether the machine adds integers, whose sums are not rounded.
func (m *Meter) Exact() bool { return m.device.exact() }

// NewSums are sums of the machine that are 0.
func (m *Meter) NewSums(n int) *Sums { return newResults(n, m.Exact()) }

// Perform performs a stream, whose rows count from 0, on images, and adds what its result reads return to results. The error
// says what the stream does that cannot be, or which read differs from the image's.
func (m *Meter) Perform(st dram.Stream, rows int, step *StepImage, ch *ChannelImage, results *Sums) (err error) {
	d, err := m.deviceOf(step.Program)
	if err != nil {
		return err
	}
	r := ch.Results
	if r.Lo < 0 || r.Hi < r.Lo || r.Hi > results.Len() {
		return fmt.Errorf("results %d to %d of %d", r.Lo, r.Hi, results.Len())
	}
	defer func() {
		if r := recover(); r != nil {
			text, ok := r.(string)
			if !ok {
				panic(r)
			}
			err = errors.New(text)
		}
	}()
	sums, reads := newResults(r.Len(), d.exact()), &imageReads{image: ch}
	perform := d.performImage
	if p, ok := d.scheme.(programs); ok {
		perform = p.performImage
	}
	if err := perform(st, rows, step, ch, sums, reads); err != nil {
		return err
	}
	if all := ch.Reads.Len(); reads.at != all {
		return fmt.Errorf("%d values are read: %d wanted", reads.at, all)
	}
	results.add(r.Lo, sums)
	return nil
}

// performImage performs a stream on images, with weights in so many rows, and adds what its result reads return to sums.
func (d *Device) performImage(st dram.Stream, rows int, step *StepImage, ch *ChannelImage, sums *Sums, reads *imageReads) error {
	c, err := d.newImageContents(step, ch)
	if err != nil {
		return err
	}
	p := &performer{device: d, contents: c, room: new(room), sets: 1, rows: make([]*loaded, rows)}
	p.reset()
	p.lo, p.reads = ch.Results.Lo, []*Sums{sums}
	p.seen = func(at int, v Sums) { reads.hold(at, v.Len(), &v) }
	p.run(st, nil)
	p.unread("the end of the stream")
	return nil
}

// imageReads holds what result reads return against an image.
type imageReads struct {
	image *ChannelImage
	at    int // values that are read
}

// hold holds the values of the next read, for n results from an element on. It panics if they are others than the image's.
func (r *imageReads) hold(place, n int, v *Sums) {
	if to := r.image.Results; place < to.Lo || place+n > to.Hi {
		panic(fmt.Sprintf("pim: results %d to %d are read, outside of %d to %d", place, place+n, to.Lo, to.Hi))
	}
	if all := r.image.Reads.Len(); r.at+v.Len() > all {
		panic(fmt.Sprintf("pim: more values are read than the %d of the image", all))
	}
	if i, wanted, read, differ := r.image.Reads.Differ(r.at, v); differ {
		panic(fmt.Sprintf("pim: value %d that is read is %s: %s wanted", r.at+i, read, wanted))
	}
	r.at += v.Len()
}

// Finish makes the values of a code's box of results that were computed elsewhere, as Eval does of its own.
func (c *Code) Finish(in []*tensor.Tensor, sums *Sums, dst *tensor.Tensor) {
	m := c.mapped()
	m.finish(sums, m.operands([]device.Evaluation{{In: in}}), device.Evaluation{In: in, Dst: dst})
}
