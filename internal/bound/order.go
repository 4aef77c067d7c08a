package bound

import (
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/graph"
)

// criticalFirst is a topological order of a store's positions in which most nodes are gates. The nodes of the longest path are
// placed last among those that can be placed: what is beside the path comes before the node of the path that follows the same
// values. Each node of the path reads the one before it, and what comes between reads one of both.
//
// The bound holds for plans in any order of nodes, so that its own order is free.
func criticalFirst(st *candidate.Store) []int {
	n := len(st.Order)
	tail, next := make([]int64, n), make([]int, n)
	for i := n - 1; i >= 0; i-- {
		next[i] = -1
		for _, u := range st.Users[i] {
			if next[i] < 0 || tail[u] > tail[next[i]] {
				next[i] = u
			}
		}
		if next[i] >= 0 {
			tail[i] = tail[next[i]]
		}
		tail[i] += weightOf(st, i)
	}
	critical := make([]bool, n)
	at := -1
	for i := range n {
		if len(st.Reads[i]) == 0 && (at < 0 || tail[i] > tail[at]) {
			at = i
		}
	}
	for ; at >= 0; at = next[at] {
		critical[at] = true
	}
	missing, order := make([]int, n), make([]int, 0, n)
	for i := range n {
		for k, in := range st.Reads[i] {
			if !slices.ContainsFunc(st.Reads[i][:k], func(o candidate.Input) bool { return o.Pos == in.Pos }) {
				missing[i]++
			}
		}
	}
	placed := make([]bool, n)
	for len(order) < n {
		best := -1
		for i := range n {
			if !placed[i] && missing[i] == 0 && (best < 0 || critical[best] && !critical[i]) {
				if best = i; !critical[i] {
					break
				}
			}
		}
		placed[best], order = true, append(order, best)
		for k, u := range st.Users[best] {
			if !slices.Contains(st.Users[best][:k], u) {
				missing[u]--
			}
		}
	}
	return order
}

// weightOf is the least time of a whole node; 1 if no device executes it whole.
func weightOf(st *candidate.Store, i int) int64 {
	least := int64(0)
	for _, t := range st.Costed(i) {
		if v := int64(t.Least()); t.Dim == candidate.Uncut && (least == 0 || v < least) {
			least = v
		}
	}
	return least + 1
}

// reorder puts the instance's nodes in an order.
func (s *instance) reorder(order []int) {
	st := s.Store
	s.Order, s.Pos, s.Reads = make([]graph.ID, len(order)), slices.Clone(st.Pos), make([][]candidate.Input, len(order))
	at := make([]int, len(order))
	for i, x := range order {
		at[x] = i
	}
	for i, x := range order {
		s.Order[i], s.Pos[st.Order[x]] = st.Order[x], i
		for _, in := range st.Reads[x] {
			s.Reads[i] = append(s.Reads[i], candidate.Input{Index: in.Index, Pos: at[in.Pos]})
		}
	}
}

// Node is the i-th node of the instance's order.
func (s *instance) Node(i int) *graph.Node { return &s.Graph.Nodes[s.Order[i]] }
