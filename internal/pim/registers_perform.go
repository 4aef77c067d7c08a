package pim

import (
	"fmt"

	"pimflow/internal/dram"
	"pimflow/internal/pim/unit"
	"pimflow/internal/tensor"
)

// programs is a scheme whose commands mean what a program says: it performs its streams and follows them itself.
type programs interface {
	// perform executes the stream of a share. It returns the sums read out of each set of inputs, which belong at the given element of
	// the results.
	perform(c *mappedCode, m *room, s share, o *operands) (sums []*Sums, at int)
	// follow holds a stream against what it must compute, and counts its commands.
	follow(p *productSet, channel int, s share, st dram.Stream) (commands int, err error)
	// image is perform for one set of inputs, and adds what the channel works on and what the host reads to an image.
	image(c *mappedCode, m *room, s share, o *operands, ch *ChannelImage) (sums *Sums, at int)
	// performImage executes a stream on images, with weights in so many rows, and adds what the host makes of its reads to sums.
	performImage(st dram.Stream, rows int, step *StepImage, ch *ChannelImage, sums *Sums, reads *imageReads) error
	// list is the programs of a share, a line for each instruction.
	list(s share) []string
}

// issue gives a command of a stream to a channel. Of a read it returns what the host gets.
func (c *registers) issue(ch *unit.Channel, k *dram.Command, index []int, data *unit.Data) (v unit.Column, err error) {
	bank, row, col := int(k.Buf.At(index)), int(k.Row.At(index)), int(k.Col.At(index))
	if bank < 0 || bank >= unit.Banks {
		return v, fmt.Errorf("bank %d of %d", bank, unit.Banks)
	}
	switch c.d.ops.roles[k.Op] {
	case openRole:
		err = ch.ActivateAll(row)
	case closeRole, leaveRole:
		err = ch.PrechargeAll()
	case compRole:
		err = ch.ReadAll(bank, row, col)
	case writeRole:
		err = ch.WriteAll(bank, row, col, data)
	case registerRole:
		err = ch.WriteRegister(row, col, data)
	case readRole:
		v, err = ch.Read(bank, row, col)
	case hostRole:
		err = ch.Activate(bank, row)
	case enterRole:
		if row == unit.RowAB {
			err = ch.Activate(0, row)
		} else {
			err = ch.ActivateAll(row)
		}
	case fenceRole:
	default:
		err = fmt.Errorf("%s is no command for streams", c.d.ops.names[k.Op])
	}
	return v, err
}

// constant is the data of a write that does not depend on inputs; false: it does.
func (c *registers) constant(words []uint32, row, col, at int) (d unit.Data, ok bool, err error) {
	switch {
	case row == unit.RowSRF, row == unit.RowGRF && col < unit.Registers:
		return d, false, nil
	case row == unit.RowOpMode:
		d[0] = byte(at)
	case row == unit.RowCRF:
		if at < 0 || at+wordsLine > len(words) {
			return d, false, fmt.Errorf("words %d to %d of %d of programs", at, at+wordsLine, len(words))
		}
		d = unit.Words(words[at:][:wordsLine])
	}
	return d, true, nil
}

// unitContents are what a channel of programmed units works on: values that its commands address.
type unitContents interface {
	// fill reads n elements of the source matrices from one on into buffers, of every set of inputs, from an element on.
	fill(to [][]float32, first, n, at int)
	// unitRow finds a row of the even banks.
	unitRow(row int) *unitRow
	// outputs is how many values from one on the reads of an output group return, at most most.
	outputs(at, most int) int
}

// unitPerformer is channels that execute a stream, one for each set of inputs.
type unitPerformer struct {
	*registers
	unitContents
	words    []uint32 // of programs
	memory   []unitMemory
	channels []unit.Channel
	inputs   [][]float32 // of a write, by set
	lo       int         // address of reads[0]
	reads    []*Sums     // by set

	seen func(at, n int, v *unit.Column) // is told of each read of the host, and of the results of its output group; nil: nobody
}

// performer is channels before a stream, with weights in so many rows.
func (c *registers) performer(x unitContents, rows, sets int, words []uint32, lo int, reads []*Sums) *unitPerformer {
	p := &unitPerformer{
		registers: c, unitContents: x, words: words, memory: make([]unitMemory, sets), channels: make([]unit.Channel, sets),
		inputs: make([][]float32, sets), lo: lo, reads: reads,
	}
	weights := make([]*unitRow, rows)
	for i := range p.channels {
		p.memory[i] = unitMemory{contents: x, rows: weights, inPlace: c.d.program.maps > 0}
		if p.memory[i].inPlace {
			p.memory[i].rows = make([]*unitRow, rows)
		}
		p.channels[i] = unit.Channel{Memory: &p.memory[i], Rounding: c.d.rounding}
		p.inputs[i] = make([]float32, 2*unit.Lanes)
	}
	return p
}

// run executes a stream. It panics where a command cannot be executed.
func (p *unitPerformer) run(st dram.Stream) {
	d := p.d
	n := 0
	st.Walk(func(k *dram.Command, index []int) bool {
		row, col, at := int(k.Row.At(index)), int(k.Col.At(index)), int(k.Data.At(index))
		var data unit.Data
		var err error
		fixed := true
		if role := d.ops.roles[k.Op]; role == writeRole || role == registerRole {
			if data, fixed, err = p.constant(p.words, row, col, at); err == nil && !fixed {
				p.fill(p.inputs, 0, p.inputsOf(row), at)
			}
		}
		for i := range p.channels {
			if !fixed {
				data = p.inputData(row, p.inputs[i])
			}
			var v unit.Column
			if err == nil {
				v, err = p.issue(&p.channels[i], k, index, &data)
			}
			if err != nil {
				panic(fmt.Sprintf("pim: command %d, %s: %v", n, d.ops.names[k.Op], err))
			}
			if k.Op == d.ops.Read {
				outputs := p.outputs(at, d.outputs)
				if p.seen != nil {
					p.seen(at, outputs, &v)
				}
				p.readOut(p.reads[i].Rounded[at-p.lo:], &v, int(k.Buf.At(index))/2, outputs)
			}
		}
		n++
		return true
	})
	for i := range p.channels {
		if p.channels[i].Mode() != unit.SB || !p.channels[i].Closed() {
			panic("pim: a stream that ends in AB mode or with open rows")
		}
	}
}

// layerPerformer is channels before the stream of a share of a layer, and the stream.
func (c *registers) layerPerformer(code *mappedCode, m *room, s share, o *operands) (p *unitPerformer, st dram.Stream) {
	r, sets := s.results(c.d.outputs), len(o.x)
	m.arena.reset()
	st, words := c.program(writer{d: c.d, batches: &m.batches, arena: &m.arena}, s)
	contents := &unitLayer{layerContents{values: o, mappedCode: code, room: m, share: s}, c}
	return c.performer(contents, c.rows(s).Hi, sets, words, r.Lo, newAllResults(&m.numbers, sets, r.Len(), false)), st
}

func (c *registers) perform(code *mappedCode, m *room, s share, o *operands) (sums []*Sums, at int) {
	p, st := c.layerPerformer(code, m, s, o)
	p.run(st)
	return p.reads, p.lo
}

// inputsOf is the number of elements that a write to a row of registers takes.
func (c *registers) inputsOf(row int) int {
	if row == unit.RowSRF {
		return unit.Registers
	}
	return unit.Lanes
}

// inputData is inputs as data of a write: a vector, or scalars for SRF_M behind those of SRF_A, which are 0.
func (c *registers) inputData(row int, v []float32) unit.Data {
	switch {
	case row != unit.RowSRF:
		return unit.Halves(v[:unit.Lanes])
	case c.d.program.maps > 0:
		return scalarData(v)
	}
	var all [unit.Lanes]float32
	copy(all[unit.Registers:], v[:unit.Registers])
	return unit.Halves(all[:])
}

// readOut adds what the host reads of a unit to n results of an output group: an output a lane, or the sum of the lanes.
func (c *registers) readOut(to []float32, v *unit.Column, u, n int) {
	if c.d.program.parts == 1 {
		for l := range min(unit.Lanes, n-u*unit.Lanes) {
			to[u*unit.Lanes+l] += v[l]
		}
		return
	}
	if u < n {
		sum := float32(0)
		for _, x := range v {
			sum += x
		}
		to[u] += sum
	}
}

// unitRow is a row of the even banks.
type unitRow [unit.Units]bankColumns

// bankColumns is a row of a bank.
type bankColumns [unit.Columns]unit.Column

// unitMemory is the banks of a channel: weights in the even ones, and the row for results; or maps, in whose place results are stored.
type unitMemory struct {
	contents unitContents
	inPlace  bool
	rows     []*unitRow // of weights or maps, made on first use; those of weights are shared by all sets of inputs
	results  unitRow
	stored   [unit.Units]uint32 // a bit for each column
}

func (m *unitMemory) Load(bank, row, col int) (*unit.Column, error) {
	u := bank / 2
	switch {
	case bank%2 == 1:
		return nil, fmt.Errorf("row %d of bank %d is read, where nothing was written", row, bank)
	case row == scratchRow && !m.inPlace:
		if m.stored[u]>>col&1 == 0 {
			return nil, fmt.Errorf("column %d of the row of results is read in bank %d, where nothing was stored", col, bank)
		}
		m.stored[u] &^= 1 << col
		return &m.results[u][col], nil
	case row >= len(m.rows):
		return nil, fmt.Errorf("row %d is read: the channel has weights in %d", row, len(m.rows))
	}
	return &m.weights(row)[u][col], nil
}

// weights is a row of weights.
func (m *unitMemory) weights(row int) *unitRow {
	if m.rows[row] == nil {
		m.rows[row] = m.contents.unitRow(row)
	}
	return m.rows[row]
}

func (m *unitMemory) Store(bank, row, col int, v *unit.Column) error {
	u := bank / 2
	switch {
	case m.inPlace:
		to, err := m.Load(bank, row, col)
		if err == nil {
			*to = *v
		}
		return err
	case row != scratchRow || bank%2 == 1:
		return fmt.Errorf("results are stored in row %d of bank %d: row %d of even banks wanted", row, bank, scratchRow)
	case m.stored[u]>>col&1 == 1:
		return fmt.Errorf("column %d of the row of results is stored again before the host reads it", col)
	}
	m.results[u][col] = *v
	m.stored[u] |= 1 << col
	return nil
}

// unitLayer are the values of a layer.
type unitLayer struct {
	layerContents
	of *registers
}

// unitRow finds the weights of a row, scaled and rounded to fp16.
func (ch *unitLayer) unitRow(row int) *unitRow {
	d := ch.of.d
	x := ch.of.rowWeights(ch.mapping, ch.share, row)
	o, scale := ch.values.of(x.block), &ch.values.scale
	to := new(unitRow)
	var w [slice * unit.Lanes]float32
	for g := range x.groups {
		for out := range d.outputs {
			first := (x.group+g)*d.outputs + out
			r := o.bankRow(x.part, x.matrix, 0, first)
			if len(r.w) == 0 {
				continue
			}
			w := w[:copy(w[:], r.w)]
			scale.apply(x.out0+x.matrix*x.outs+first, w)
			tensor.RoundAll(tensor.Float16, w, w)
			for i, v := range w {
				e := r.at + i
				if d.lanes == 1 {
					to[out/unit.Lanes][slice*g+e][out%unit.Lanes] = v
				} else {
					to[out][slice*g+e/unit.Lanes][e%unit.Lanes] = v
				}
			}
		}
	}
	return to
}
