package pim

import (
	"encoding/binary"
	"fmt"

	"pimflow/internal/tensor"
)

// Held is where a channel has a code's weights: in rows of all its banks, numbered
// as the layout says. The rows of the channel's stream count from Rows.Lo on.
type Held struct {
	// Layout says which weights stand in which row: in equal layouts of the same
	// constant, rows of the same number hold the same.
	Layout string
	Rows   tensor.Range
}

// Rows is the number of rows of each bank.
func (c *Code) Rows() int { return c.device.m.Rows }

// Held says where each channel has its weights; a channel that is idle has none.
func (c *mappedCode) Held() []Held {
	held := make([]Held, c.device.channels)
	for i, s := range c.perChannel() {
		if len(s) > 0 {
			held[i] = Held{string(c.layout(s)), c.device.rows(s)}
		}
	}
	return held
}

// layout names what standing depends on.
func (c *mappedCode) layout(s share) []byte {
	var key []byte
	add := func(n ...int) {
		for _, v := range n {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	order := 0
	if c.layer.byColumn {
		order = 1
	}
	if c.layer.byTap {
		order = 2
	}
	add(c.layer.groupK, c.layer.groupOuts, order)
	matrices := func(p *part) {
		add(p.first, p.merge, p.out0, p.outs, p.k, p.k0, p.cols)
	}
	if !c.device.ops.dialect.column {
		for i := range c.parts {
			p := &c.parts[i]
			matrices(p)
			add(p.row, p.count, p.chunks, p.groups, p.fold)
		}
		return key
	}
	for i := range s {
		sp := &s[i]
		k := sp.packed(c.device)
		matrices(sp.part)
		if c.device.ops.dialect.same {
			add(sp.fold, sp.period(c.device, k.last))
		}
		add(k.rows, k.groups, k.last, sp.at[byMatrix].Lo, sp.at[byMatrix].Len(), sp.at[byChunk].Lo, sp.at[byChunk].Len(), sp.at[byGroup].Lo)
	}
	return key
}

// Weights is the number of weights that a channel's rows, in the numbering of its
// layout, hold together, without the zeros around them.
func (c *mappedCode) Weights(channel int, rows tensor.Range) int {
	n, s, banks := 0, c.perChannel()[channel], c.device.m.Banks
	for row := rows.Lo; row < rows.Hi; row++ {
		x := c.standing(s, row)
		times := 1
		if c.device.ops.dialect.same {
			times = x.fold // the row has them for each pixel of the buffer
		}
		for output := x.group * banks; output < (x.group+x.groups)*banks; output++ {
			c.layer.kept(x.part, x.matrix, x.chunk, output, func(_, _, weights int, _ bool) { n += weights * times })
		}
	}
	return n
}

// standing is the items whose weights stand in a row, output groups side by side, and
// again after as many chunks as period says.
type standing struct {
	*part
	matrix, chunk, group, groups int
	period                       int
}

// standing finds the items of a row, in the numbering of the layout.
func (c *mappedCode) standing(s share, row int) standing {
	if c.device.ops.dialect.column {
		return c.packedStanding(s, row)
	}
	for i := range c.parts {
		p := &c.parts[i]
		if at := row - p.row; at >= 0 && at < p.rows() {
			chunk := at / p.groups
			return standing{p, chunk / p.chunks, chunk % p.chunks, at % p.groups, 1, 1}
		}
	}
	panic(fmt.Sprintf("pim: no weights for row %d", row))
}

func (c *mappedCode) packedStanding(s share, row int) standing {
	at := row
	for i := range s {
		sp := &s[i]
		if n := sp.rows(c.device); at >= n {
			at -= n
			continue
		}
		k := sp.packed(c.device)
		set, chunk := at%k.rows, at/k.rows
		x := standing{
			sp.part, sp.at[byMatrix].Lo + chunk/sp.at[byChunk].Len(), sp.at[byChunk].Lo + chunk%sp.at[byChunk].Len(),
			sp.at[byGroup].Lo + set*k.groups, k.groups, 0,
		}
		if set == k.rows-1 {
			x.groups = k.last
		}
		x.period = sp.period(c.device, x.groups)
		return x
	}
	panic(fmt.Sprintf("pim: no weights for row %d", row))
}
