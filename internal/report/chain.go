package report

import (
	"fmt"
	"io"
	"strings"
)

// Chains writes what the PIM work of each model's plan spends on values that leave the channels and come back.
func (c *Comparison) Chains(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s; policy auto; latency in us; launches: %s\n", c.names(), strings.Join(c.Launches, "; "))
	b.WriteString(`steps: PIM work that reads a value which other PIM work made, or makes one that other reads, of all
read to write: what that work spends on moving values, at most, in parts of the plan's time: results
read out, the latency of the link, what the link and the finish take longer, buffers written
free: what the same plan takes if all that takes no time

`)
	t, head := c.leading()
	t, head = append(t, column{right: true}, column{right: true}), append(head, "auto", "steps")
	for k := range c.Models {
		if m := &c.Models[k]; m.Error == "" {
			for _, x := range m.Results[0].Chain.Terms {
				head, t = append(head, x.Name), append(t, column{right: true})
			}
			break
		}
	}
	head, t = append(head, "all", "free", "less"), append(t, column{right: true}, column{right: true}, column{right: true})
	t.row(head...)
	c.rows(&t, func(m *ModelResult) []string {
		r := &m.Results[0]
		part := func(ns float64) string { return fmt.Sprintf("%.1f %%", 100*ns/r.Total) }
		cells := []string{us(&r.Total), fmt.Sprintf("%d of %d", r.Chain.Among, r.Chain.Steps)}
		for _, x := range r.Chain.Terms {
			cells = append(cells, part(x.Time.NS()))
		}
		free := r.Chain.Free.NS()
		return append(cells, part(r.Chain.Sum().NS()), us(&free), part(r.Total-free))
	})
	t.write(b)
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}
