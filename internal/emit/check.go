package emit

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"pimflow/internal/dram"
	"pimflow/internal/hw"
	"pimflow/internal/pim"
	"pimflow/internal/tensor"
)

// checker collects the first value of a manifest that is wrong.
type checker struct {
	file string
	err  error
}

// want holds a value at a place: the error names file, place, value and what is wanted.
func (c *checker) want(ok bool, place string, value any, wanted string, a ...any) {
	if !ok && c.err == nil {
		c.err = fmt.Errorf("%s: %s: %.80s: %s wanted", c.file, place, fmt.Sprint(value), fmt.Sprintf(wanted, a...))
	}
}

// same is want of a value that follows from others.
func same[T comparable](c *checker, place string, value, wanted T, of string) {
	c.want(value == wanted, place, quoted(value), "%v, %s,", quoted(wanted), of)
}

// quoted is a value as an error shows it.
func quoted(v any) any {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%.80q", s)
	}
	return v
}

// check holds all values of a manifest against each other and against the machine. What the streams say is for Hold.
func (m *Manifest) check(file string, machine *hw.Machine) error {
	c := &checker{file: file}
	same(c, "standard", m.Standard, machine.PIM.Standard, "that of "+MachineName)
	if c.err != nil {
		return c.err
	}
	meter, err := pim.NewMeter(machine)
	if err != nil {
		return err
	}
	std := meter.DRAM().Standard()
	f, err := formatOf(m.Format)
	c.want(err == nil, "format", quoted(m.Format), "one of %s", strings.Join(Formats(), ", "))
	if c.err != nil {
		return c.err
	}
	c.want(f.fits == nil || f.fits(std), "format", quoted(m.Format), "another for standard %s", std.Name)
	c.want(!m.Timed || f.timed, "timed", m.Timed, "false for format %s", f.name)
	same(c, "machine", m.Machine, machine.Name, "that of "+MachineName)
	same(c, "clock_ps", m.Clock, machine.PIM.Clock.Picoseconds(), "that of "+MachineName)
	same(c, "channels", m.Channels, machine.Memory.PIMChannels, "those of "+MachineName)
	c.want(m.Total >= 0, "plan_ps", m.Total, "0 or more")
	c.want(len(m.Steps) > 0, "steps", "none", "one or more")
	sum, before := Manifest{}, -1
	for i, s := range m.Steps {
		at := fmt.Sprintf("steps[%d].", i)
		c.want(s.Step > before, at+"step", s.Step, "more than %d", before)
		before = s.Step
		c.step(at, m, s)
		c.program(at, s, pim.Programs(machine))
		slowest := int64(0)
		channel := -1
		for k, ch := range s.Channels {
			at := fmt.Sprintf("%schannels[%d].", at, k)
			c.want(ch.Channel > channel && ch.Channel < m.Channels, at+"channel", ch.Channel, "%d to %d, ascending,", channel+1, m.Channels-1)
			channel = ch.Channel
			c.channel(at, m, f, ch, std, meter.Rows())
			slowest = max(slowest, ch.Last)
			sum.Commands = plus(sum.Commands, ch.Commands)
			sum.Bytes = plus(sum.Bytes, ch.Bytes)
		}
		same(c, at+"cycles", s.Slowest, slowest, "the most of its channels' last_cycle")
	}
	same(c, "commands_total", m.Commands, sum.Commands, "the sum over all channels")
	same(c, "bytes", m.Bytes, sum.Bytes, "the sum over all channels")
	return c.err
}

// plus is a sum that stays at the largest number.
func plus(a, b int64) int64 {
	if b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + max(b, 0)
}

func (c *checker) step(at string, m *Manifest, s *Step) {
	_, err := tensor.ParseBox(s.Box)
	c.want(err == nil, at+"box", quoted(s.Box), "the box of a value, as [0:1 0:16]")
	c.want(s.Layer != "", at+"layer", quoted(s.Layer), "the name of a layer")
	c.want(s.Operator != "", at+"operator", quoted(s.Operator), "the name of an operator")
	c.want(s.Launches == 0 || s.Launches == 1, at+"launches", s.Launches, "0 or 1")
	c.want(s.Start >= 0 && s.Start <= s.End, at+"start_ps", s.Start, "0 to %d, end_ps,", s.End)
	c.want(s.End <= m.Total, at+"end_ps", s.End, "at most %d, plan_ps,", m.Total)
	c.want(len(s.Channels) > 0, at+"channels", "none", "one or more")
	same(c, at+"images", s.Images != nil, m.Images, "as images of the manifest")
}

// program holds images against the ways of programs that a machine's units execute.
func (c *checker) program(at string, s *Step, known []string) {
	if s.Images == nil {
		return
	}
	name := s.Images.Program
	if known == nil {
		c.want(name == "", at+"images.program", quoted(name), "none, as the units execute no programs,")
	} else {
		c.want(slices.Contains(known, name), at+"images.program", quoted(name), "one of %s", strings.Join(known, ", "))
	}
	for i, ch := range s.Channels {
		if ch.Images != nil {
			same(c, fmt.Sprintf("%schannels[%d].images.program", at, i), ch.Images.Program.Name != "", known != nil, "as the units execute programs or not")
		}
	}
}

func (c *checker) channel(at string, m *Manifest, f *format, ch *Channel, std *dram.Standard, rows int) {
	ending := filepath.Ext(strings.TrimSuffix(ch.File, ".gz"))
	c.want(ending == "."+f.ending, at+"file", quoted(ch.File), "the ending .%s of format %s", f.ending, f.name)
	c.want(ch.Rows[0] >= 0 && ch.Rows[0] <= ch.Rows[1] && ch.Rows[1] <= rows, at+"rows", ch.Rows, "ascending numbers from 0 to %d, the rows of a bank,", rows)
	var kinds, known []string
	sum := int64(0)
	for _, n := range ch.Issued {
		kinds = append(kinds, n.Kind)
		c.want(n.N >= 0, at+"issued", fmt.Sprintf("%d commands %s", n.N, n.Kind), "0 or more")
		sum = plus(sum, n.N)
	}
	for _, o := range std.Ops {
		known = append(known, o.Name)
	}
	slices.Sort(kinds) // an object has no order
	c.want(slices.Equal(kinds, slices.Sorted(slices.Values(known))), at+"issued", fmt.Sprintf("%.80q", kinds), "the commands of standard %s, %s,", std.Name, strings.Join(known, " "))
	c.want(ch.Commands >= 1 && ch.Commands <= sum, at+"commands", ch.Commands, "1 to %d, those of issued,", sum)
	c.want(ch.First >= 1 && ch.First <= ch.Last, at+"first_cycle", ch.First, "1 to %d, last_cycle,", ch.Last)
	c.want(ch.Bare >= 1 && ch.Bare <= ch.Last, at+"last_cycle_without_refresh", ch.Bare, "1 to %d, last_cycle,", ch.Last)
	c.want(ch.Requested >= 1 && ch.Requested <= ch.Bare, at+"last_cycle_of_instructions", ch.Requested, "1 to %d, last_cycle_without_refresh,", ch.Bare)
	c.want(ch.Bytes >= 1, at+"bytes", ch.Bytes, "1 or more")
	same(c, at+"images", ch.Images != nil, m.Images, "as images of the manifest")
}
