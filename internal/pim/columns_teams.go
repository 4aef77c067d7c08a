package pim

import (
	"cmp"
	"slices"

	"pimflow/internal/tensor"
)

// Teams of one matrix have few kinds of shares: as many units as the place of the team gives, and as many groups as that of the member in
// it. They are counted without the shares of all channels.

// portion is a range that several teams get of the units, or several members of the groups.
type portion struct {
	tensor.Range
	last  bool // it ends where all end
	count int
}

// teamRoom is memory for the kinds of teams.
type teamRoom struct {
	units, groups []portion
	spans         share
}

// addTeams counts the shares of n channels in teams, of which the last channel's is there. It returns false where shares are not boxes of one matrix.
func (s *columnSearch) addTeams(w *way, n int) bool {
	p := &w.parts[0]
	if w.teams == 0 || p.count != 1 || p.classes != nil || w.parts[len(w.parts)-1].block != p.block {
		return false
	}
	g := teams{n, w.teams}
	size, long := n/w.teams, n%w.teams
	s.kinds[0].channels = 0 // is counted with those alike
	s.spans = s.spans[:0]
	add := func(from, to, size int) { // teams of so many members
		s.units, s.groups = s.units[:0], s.groups[:0]
		for t := from; t < to; t++ {
			s.units = addPortion(s.units, g.units(p, stretch{}, t), p.units)
		}
		for m := range size {
			s.groups = addPortion(s.groups, p.groupsOf(m, size), p.groups)
		}
		for _, u := range sortPortions(s.units) {
			for _, g := range sortPortions(s.groups) {
				first := len(s.spans)
				for i := range w.parts {
					p := &w.parts[i]
					box := p.whole()
					box[byUnit], box[byGroup] = u.Range, g.Range
					s.spans = append(s.spans, span{p, box})
				}
				s.addKind(s.spans[first:], int64(u.count*g.count))
			}
		}
	}
	add(long, w.teams, size)
	if long > 0 {
		add(0, long, size+1)
	}
	return true
}

// addPortion counts a range, of those that end at some number, with those alike. An empty one is nobody's.
func addPortion(all []portion, r tensor.Range, end int) []portion {
	x := portion{r, r.Hi == end, 1}
	for i := range all {
		if a := &all[i]; a.Len() == x.Len() && a.last == x.last {
			a.count++
			return all
		}
	}
	if r.Len() == 0 {
		return all
	}
	return append(all, x)
}

// sortPortions puts the longest first, and of these those that do not end where all end: their estimates are mostly the longest.
func sortPortions(all []portion) []portion {
	slices.SortFunc(all, func(a, b portion) int {
		if c := cmp.Compare(b.Len(), a.Len()); c != 0 || a.last == b.last {
			return c
		}
		if a.last {
			return 1
		}
		return -1
	})
	return all
}
