package pim

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/graph"
	"pimflow/internal/simplify"
	"pimflow/internal/tensor"
	"pimflow/internal/zoo"
)

var long = flag.Bool("long", false, "also replay the streams of vgg-16")

// TestReplayDrawn: the streams of every mapping of drawn layers, boxes and geometries.
func TestReplayDrawn(t *testing.T) {
	for _, make := range anyLayers {
		rapid.Check(t, func(t *rapid.T) {
			n := make(t)
			cut := graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)}
			code := compile(t, anyMachine(t), anyChannels(t), n.g, cut)
			_, tried := code.compared()
			for _, m := range tried {
				code.mapping = m
				if r, err := code.Replay(); err != nil || r.Commands != m.total+closes(code) || r.Timed > r.Commands {
					t.Fatalf("%v: %+v, %d commands wanted: %v", m, r, m.total, err)
				}
			}
		})
	}
}

// closes is how many rows a code closes, which no other count has.
func closes(c *mappedCode) int64 {
	if !byColumn(c.device.ops) {
		return 0
	}
	n := int64(0)
	for _, s := range c.perChannel() {
		n += c.device.scheme.work(s).visits
	}
	return n
}

// wholes are codes of a whole node; where units execute programs, one of each program that can compute it.
func wholes(d device.Device, g *graph.Graph, id graph.ID) (codes []device.Code, err error) {
	devices := []device.Device{d}
	if p, ok := d.(programmed); ok {
		devices = nil
		for _, d := range p {
			devices = append(devices, d)
		}
	}
	for _, d := range devices {
		switch c, err := d.Compile(g, g.Whole(id)); {
		case err == nil:
			codes = append(codes, c)
		case !errors.Is(err, device.ErrUnsupported):
			return nil, err
		}
	}
	return codes, nil
}

// TestReplayZoo: every layer of five networks, and with -long of vgg-16, on all channels of the machines that are fast to replay; of toy, and with -long of
// all, on the others.
func TestReplayZoo(t *testing.T) {
	names := []string{"toy", "mobilenet-v2", "mnasnet-1.0", "efficientnet-b0", "resnet-50"}
	if testing.Short() {
		names = names[:1]
	}
	if *long {
		names = append(names, "vgg-16") // half a minute
	}
	for _, name := range names {
		g, err := zoo.Build(name, 1)
		if err != nil {
			t.Fatal(err)
		}
		if g, err = simplify.Run(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		// Layers that differ in nothing but their weights have the same streams.
		var layers []graph.ID
		seen := map[string]bool{}
		for i := range g.Nodes {
			if nd := &g.Nodes[i]; nd.Op != nil {
				if key := fmt.Sprint(nd.Op.Name, nd.Attrs, g.InShapes(graph.ID(i)), nd.Shape); !seen[key] {
					seen[key] = true
					layers = append(layers, graph.ID(i))
				}
			}
		}
		machines := []string{"artifact", "newton", "aim"}
		if name == "toy" || *long { // minutes
			machines = append(machines, "lpddr5-aim", "hbm-pim", "hbm3-pim")
		}
		for _, machine := range machines {
			t.Run(name+"/"+machine, func(t *testing.T) {
				m := machineOf(t, machine)
				d, err := New(m, m.Memory.PIMChannels)
				if err != nil {
					t.Fatal(err)
				}
				var next, commands atomic.Int64
				var wg sync.WaitGroup
				for range 2 {
					wg.Go(func() {
						for {
							i := next.Add(1) - 1
							if i >= int64(len(layers)) {
								return
							}
							codes, err := wholes(d, g, layers[i])
							if err != nil {
								t.Error(err)
							}
							for _, code := range codes {
								r, err := code.(device.Replayer).Replay()
								if err != nil {
									t.Errorf("%s: %v", g.Nodes[layers[i]].Name, err)
								}
								commands.Add(r.Commands)
							}
						}
					})
				}
				wg.Wait()
				if commands.Load() == 0 {
					t.Error("no commands")
				}
				t.Logf("%d layers, %d commands", len(layers), commands.Load())
			})
		}
	}
}

// flat is a stream written out.
func flat(s dram.Stream) (out []dram.Command) {
	at := func(a dram.Affine, index []int) dram.Affine { return dram.Affine{Base: a.At(index)} }
	s.Walk(func(c *dram.Command, index []int) bool {
		out = append(out, dram.Command{
			Op: c.Op, Row: at(c.Row, index), Col: at(c.Col, index), Buf: at(c.Buf, index), Acc: at(c.Acc, index), Data: at(c.Data, index), Fill: c.Fill,
		})
		return true
	})
	return out
}

func nested(cs []dram.Command) (s dram.Stream) {
	for _, c := range cs {
		s = append(s, dram.Do(c))
	}
	return s
}

// mutations each change a stream at a command of a role so that it is wrong.
var mutations = []struct {
	name   string
	role   role
	where  func(o *Commands) bool
	change func(s []dram.Command, i int) []dram.Command
}{
	{"COMP dropped", compRole, always, drop},
	{"COMP twice", compRole, always, twice},
	{"READRES dropped", readRole, always, drop},
	{"READRES twice", readRole, always, twice},
	{"READRES to the next element", readRole, always, func(s []dram.Command, i int) []dram.Command { s[i].Data.Base++; return s }},
	{"READRES after the next command", readRole, ownColumn, func(s []dram.Command, i int) []dram.Command {
		s[i], s[i+1] = s[i+1], s[i]
		return s
	}},
	{"GWRITE dropped", writeRole, byColumn, drop},
	{"GWRITE of the next column", writeRole, always, func(s []dram.Command, i int) []dram.Command { s[i].Data.Base += 16; return s }},
	{"GWRITE of half a column further", writeRole, always, func(s []dram.Command, i int) []dram.Command { s[i].Data.Base += 8; return s }},
	{"GWRITE twice", writeRole, always, twice},
	{"GWRITE to the next column", writeRole, byColumn, func(s []dram.Command, i int) []dram.Command { s[i].Buf.Base++; return s }},
	{"COMP in the next row", compRole, always, func(s []dram.Command, i int) []dram.Command { s[i].Row.Base++; return s }},
	{"COMP of the next column of the row", compRole, always, func(s []dram.Command, i int) []dram.Command { s[i].Col.Base++; return s }},
	{"COMP of a column before the buffer", compRole, ownColumn, func(s []dram.Command, i int) []dram.Command { s[i].Buf.Base = -1; return s }},
	{"G_ACT dropped", openRole, byColumn, drop},
	{"G_ACT twice", openRole, byColumn, twice},
	{"init dropped", initRole, sets, drop},
	{"init twice", initRole, sets, twice},
	{"init of the next accumulator", initRole, sets, nextSum},
	{"COMP to the next accumulator", compRole, sets, nextSum},
	{"READRES of the next accumulator", readRole, sets, nextSum},
	{"G_ACT of a row that is not there", openRole, always, func(s []dram.Command, i int) []dram.Command { s[i].Row.Base = 1 << 20; return s }},
	{"PREA dropped", closeRole, byColumn, drop},
	{"rows 0 and 1 exchanged", compRole, always, func(s []dram.Command, _ int) []dram.Command {
		for i := range s {
			if r := &s[i].Row.Base; *r < 2 {
				*r = 1 - *r
			}
		}
		return s
	}},
}

// Where mutations are wrong: everywhere, where buffers are written by column and rows
// closed, where they also have columns of their own, where sums are set.
func always(*Commands) bool      { return true }
func byColumn(o *Commands) bool  { return len(o.dialect.write) > 0 }
func ownColumn(o *Commands) bool { return byColumn(o) && !o.dialect.same }
func sets(o *Commands) bool      { return !o.cleared() }

func nextSum(s []dram.Command, i int) []dram.Command { s[i].Acc.Base++; return s }

func drop(s []dram.Command, i int) []dram.Command { return slices.Delete(s, i, i+1) }

func twice(s []dram.Command, i int) []dram.Command { return slices.Insert(s, i, s[i]) }

// TestReplayMutations: in the streams of a layer of several rows a channel, every
// mutation of every command it applies to is found.
func TestReplayMutations(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(3, 4)), tensor.Shape{1, 48, 3, 3}, 40, 1, 3, 1, 1, []int64{1, 1, 1, 1}, false)
	for _, machine := range []string{"artifact", "newton", "aim", "lpddr5-aim"} {
		hm := machineOf(t, machine)
		if machine == "newton" {
			halfRate(hm) // at the full rate a mapping is compared that writes a column which is in the buffer already
		}
		code := compile(t, hm, 2, n.g, n.g.Whole(n.id))
		ops := code.device.ops
		_, tried := code.compared()
		for _, m := range tried {
			code.mapping = m
			shares := code.perChannel()
			streams := [2]dram.Stream{code.device.stream(shares[0]), code.device.stream(shares[1])}
			plain := flat(streams[1])
			for _, mu := range mutations {
				tried := 0
				if !mu.where(ops) {
					continue
				}
				for i := range plain {
					r := ops.roles[plain[i].Op]
					if r == gatherRole {
						r = writeRole // of a whole buffer
					}
					if r != mu.role || tried > 0 && i%7 != 0 {
						continue // every seventh, that the test is short
					}
					changed := nested(mu.change(slices.Clone(plain), i))
					_, err := code.replay(func(channel int) dram.Stream {
						if channel == 1 {
							return changed
						}
						return streams[0]
					})
					var v *Violation
					if tried++; !errors.As(err, &v) {
						t.Errorf("%s, %v: %s, command %d: not found: %v", machine, m, mu.name, i, err)
					} else if v.Channel == 0 {
						t.Errorf("%s, %v: %s, command %d: in another channel: %v", machine, m, mu.name, i, err)
					}
				}
				if tried == 0 {
					t.Errorf("%s, %v: nothing for %s", machine, m, mu.name)
				}
			}
		}
	}
}

// looped is a stream in which column accesses along a row are loops.
func looped(ops *Commands, s []dram.Command) (st dram.Stream) {
	for i, n := 0, 1; i < len(s); i, n = i+n, 1 {
		c := s[i]
		step := func(of func(c *dram.Command) dram.Affine) int64 {
			return of(&s[min(i+n, len(s)-1)]).Base - of(&s[i+n-1]).Base
		}
		row := func(c *dram.Command) dram.Affine { return c.Row }
		acc := func(c *dram.Command) dram.Affine { return c.Acc }
		col := func(c *dram.Command) dram.Affine { return c.Col }
		for i+n < len(s) && s[i+n].Op == c.Op && ops.roles[c.Op] == compRole && step(row) == 0 && step(acc) == 0 && step(col) == 1 && step(ops.multiplied) == 1 {
			n++
		}
		if n == 1 {
			st = append(st, dram.Do(c))
			continue
		}
		c.Col.Stride, c.Buf.Stride = []int64{1}, []int64{s[i+1].Buf.Base - c.Buf.Base}
		st = append(st, dram.Loop(n, dram.Do(c)))
	}
	return st
}

// TestReplayRuns: column accesses along a row that are a loop break the same rule at the same command as those that are none.
func TestReplayRuns(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(3, 4)), tensor.Shape{1, 96, 3, 3}, 40, 1, 3, 1, 1, []int64{1, 1, 1, 1}, false)
	for _, machine := range []string{"artifact", "newton", "aim", "lpddr5-aim"} {
		code := compile(t, machineOf(t, machine), 2, n.g, n.g.Whole(n.id))
		ops, s := code.device.ops, code.perChannel()[0]
		follow := func(st dram.Stream) (*follower, string) {
			p, err := code.newProducts()
			if err != nil {
				t.Fatal(err)
			}
			f := &follower{productSet: p, held: p.layout(s)}
			return f, fmt.Sprint(f.follow(st))
		}
		plain := flat(code.device.stream(s))
		shorter, broken := len(plain)-len(looped(ops, plain)), 0
		for i := range plain {
			role := ops.roles[plain[i].Op]
			if role != writeRole && role != compRole || i%29 != 0 && i > 24 {
				continue
			}
			set := func(change func(c *dram.Command)) func(s []dram.Command, i int) []dram.Command {
				return func(s []dram.Command, i int) []dram.Command { change(&s[i]); return s }
			}
			for _, change := range []func(s []dram.Command, i int) []dram.Command{
				set(func(*dram.Command) {}),
				set(func(c *dram.Command) { c.Data.Base += int64(code.device.lanes) }),
				set(func(c *dram.Command) { c.Buf.Base ^= 1 }),
				set(func(c *dram.Command) { c.Col.Base ^= 1 }),
				func(s []dram.Command, i int) []dram.Command { return slices.Insert(s, i, s[i+1]) },
			} {
				other := change(slices.Clone(plain), i)
				f, want := follow(nested(other))
				g, got := follow(looped(ops, other))
				if got != want || f.n != g.n || !slices.Equal(f.bits, g.bits) {
					t.Errorf("%s, command %d: %q after %d commands as runs, %q after %d", machine, i, got, g.n, want, f.n)
				}
				if want != "<nil>" {
					broken++
				}
			}
		}
		if shorter < 10 || broken < 10 {
			t.Errorf("%s: %d commands are in runs, %d streams are wrong: 10 wanted", machine, shorter, broken)
		}
	}
}

// TestReplayTime: streams that break a rule of time, or that take another time than
// their cost says.
func TestReplayTime(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(3, 4)), tensor.Shape{1, 48, 3, 3}, 40, 1, 3, 1, 1, []int64{1, 1, 1, 1}, false)
	for _, machine := range []string{"newton", "aim"} {
		code := compile(t, machineOf(t, machine), 2, n.g, n.g.Whole(n.id))
		s := code.perChannel()[0]
		plain := flat(code.device.stream(s))
		without := func(r role) []dram.Command {
			return slices.DeleteFunc(slices.Clone(plain), func(c dram.Command) bool { return code.device.ops.roles[c.Op] == r })
		}
		for _, c := range []struct {
			stream []dram.Command
			want   string
		}{
			{plain, ""},
			{without(openRole), "with no row open"},
			{without(closeRole), "on banks whose row is open"},
			{without(readRole), "its cost says"},
		} {
			got := ""
			if _, err := code.replayTime(0, s, nested(c.stream)); err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) || c.want == "" && got != "" {
				t.Errorf("%q, %q wanted", got, c.want)
			}
		}
	}
}

// TestReplayEarly: any command of a real stream, a cycle early, breaks a rule.
func TestReplayEarly(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(3, 4)), tensor.Shape{1, 256, 7, 7}, 40, 1, 3, 1, 1, []int64{1, 1, 1, 1}, false)
	for _, machine := range []string{"artifact", "newton", "aim", "lpddr5-aim"} {
		code := compile(t, machineOf(t, machine), 2, n.g, n.g.Whole(n.id))
		d := code.device
		for _, s := range code.perChannel() {
			check, err := d.standard.NewCheck(d.timing)
			if err != nil {
				t.Fatal(err)
			}
			commands, refreshes := 0, 0
			run := d.channel.Run()
			run.Observe(func(op dram.Op, at dram.Cycle) {
				if d.ops.roles[op] != noRole { // none that a refresh puts before itself
					commands++
					if check.Issue(op, at-1) == nil {
						t.Fatalf("%s: %s could go in cycle %d", machine, d.ops.names[op], at-1)
					}
				} else {
					refreshes++
				}
				if err := check.Issue(op, at); err != nil {
					t.Fatal(err)
				}
			})
			d.stream(s).Walk(func(c *dram.Command, _ []int) bool { run.Issue(c.Op); return true })
			if err := check.Finish(run.Finish().Cycles); err != nil || commands == 0 || refreshes == 0 {
				t.Errorf("%s: %d commands, %d refreshes: %v", machine, commands, refreshes, err)
			}
		}
	}
}
