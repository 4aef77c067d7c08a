package pim

// patterns are the ways to use the machine's buffers for chunks of so many columns.
func (c *columns) patterns(cols int) []pattern {
	wide := ceilDiv(cols, c.d.buffer)
	n := c.d.buffers / wide
	if c.d.basic || n == 1 {
		return []pattern{{depth: 1, wide: wide}, {inputs: true, depth: 1, wide: wide}}
	}
	p := []pattern{{depth: 1, wide: wide, double: true}, {inputs: true, depth: n, wide: wide}}
	if n >= 4 && c.room(cols) <= 0 { // the bus turns seldom
		p = append(p, pattern{depth: n / 2, wide: wide, double: true})
	}
	return p
}
