package pim

import "pimflow/internal/tensor"

// teams are n channels in count teams. The first of them have a channel more than the others.
type teams struct{ n, count int }

// of is the team of a channel, its number in it, and the channels of the team.
func (g teams) of(c int) (team, member, size int) {
	size = g.n / g.count
	if long := g.n % g.count; c < long*(size+1) {
		size++
	} else {
		c -= long
	}
	return c / size, c % size, size
}

// units are those of a part that a team gets.
func (g teams) units(p *part, s stretch, team int) tensor.Range {
	size, long := g.n/g.count, g.n%g.count
	groups := [2]int{ceilDiv(p.groups, size), ceilDiv(p.groups, size+1)} // of the busiest member
	before := func(team int) int { return min(team, long)*groups[0] + max(team-long, 0)*groups[1] }
	total := before(g.count)
	return tensor.Range{Lo: s.unitAt(p, before(team), total), Hi: s.unitAt(p, before(team+1), total)}
}

// shareByTeams shares the units of each part out to teams of channels; the members of a team
// share the output groups. A team with a channel less has more output groups a member and gets
// fewer units. The shares are appended to out, by channel.
func shareByTeams(out []share, ps []part, count int) {
	g, places := teams{len(out), count}, placesOf(ps)
	for i := range ps {
		p := &ps[i]
		var units tensor.Range
		for c := range out {
			team, member, size := g.of(c)
			if member == 0 {
				units = g.units(p, placeOf(places, i), team)
			}
			out[c] = p.member(out[c], units, member, size)
		}
	}
}

// memberShare appends the share of channel c of teams.
func memberShare(out share, ps []part, c int, g teams) share {
	team, member, size := g.of(c)
	places := placesOf(ps)
	for i := range ps {
		out = ps[i].member(out, g.units(&ps[i], placeOf(places, i), team), member, size)
	}
	return out
}

// member appends what a member of so many gets of a team's units.
func (p *part) member(out share, units tensor.Range, member, size int) share {
	lo, hi, box := units.Lo, units.Hi, p.whole()
	box[byGroup] = p.groupsOf(member, size)
	switch inner := p.chunks * box[byGroup].Len(); {
	case inner == 0 || lo == hi:
	case p.count == 1: // whole units of one matrix are a box
		box[byUnit] = tensor.Range{Lo: lo, Hi: hi}
		out = append(out, span{p, box})
	default:
		out = out.spans(p, box, lo*inner, hi*inner)
	}
	return out
}

// groupsOf are the output groups of a member of so many.
func (p *part) groupsOf(member, size int) tensor.Range {
	return tensor.Range{Lo: p.groups * member / size, Hi: p.groups * (member + 1) / size}
}

// placesOf are the places of parts of several products; nil: each product is the whole of the work.
func placesOf(ps []part) []stretch {
	if ps[len(ps)-1].layer == ps[0].layer {
		return nil
	}
	return stretchesOf(ps)
}

func placeOf(places []stretch, i int) stretch {
	if places == nil {
		return stretch{}
	}
	return places[i]
}

// stretch is the place of a product of a layer in the work of all of them. Teams get work that follows
// each other, of one product and then of the next.
type stretch struct{ from, size, all int }

// stretchesOf are those of the products that parts belong to.
func stretchesOf(ps []part) []stretch {
	s := make([]stretch, len(ps))
	all := 0
	for i := 0; i < len(ps); {
		first, from := i, all
		for ; i < len(ps) && ps[i].layer == ps[first].layer; i++ {
			for k, q := range ps[i].byClass() {
				all += ps[i].count * q * ps[i].need(k, 0, ps[i].chunks).work() * ps[i].groups
			}
		}
		for k := first; k < i; k++ {
			s[k] = stretch{from: from, size: all - from}
		}
	}
	for i := range s {
		s[i].all = all
	}
	return s
}

// unitAt is the first unit of a part after a portion of the work of all products.
func (s stretch) unitAt(p *part, portion, total int) int {
	if s.size == s.all {
		return p.unitAt(portion, total)
	}
	if s.size == 0 { // all padding
		return p.unitAt(portion, total)
	}
	const fine = 1 << 20 // keeps products of portions small
	return p.unitAt(min(max(s.all*portion/total-s.from, 0), s.size)*fine/s.size, fine)
}
