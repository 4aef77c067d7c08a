package main

import "slices"

// bounds are faults of lower bounds: mostly bounds that are too high for some plan, or lower than what
// is certain.
var bounds = slices.Concat(
	file("internal/bound/bound.go", in("internal/bound", ""),
		row{"a node ends when what it reads has ended, not its shortest tile later", `end[i] = max(end[i], end[r.on]+g.least)`, `end[i] = max(end[i], end[r.on])`},
		row{"the tail of a node leaves out what follows its reader", `tail[r.on] = max(tail[r.on], nodes[i].least+tail[i])`, `tail[r.on] = max(tail[r.on], nodes[i].least)`},
		row{"a device waits for the latest of its nodes to begin", `head, rest = min(head, start[i]-base), min(rest, tail[i])`, `head, rest = max(head, start[i]-base), min(rest, tail[i])`},
		row{"a device waits for the longest of its nodes' tails", `head, rest = min(head, start[i]-base), min(rest, tail[i])`, `head, rest = min(head, start[i]-base), max(rest, tail[i])`},
		row{"a reader of a whole value starts with its first tile", `start[i] = max(start[i], end[r.on])`, `start[i] = max(start[i], first[r.on])`},
		row{"a reader of a part of a value waits for its end", `start[i] = max(start[i], first[r.on])`, `start[i] = max(start[i], end[r.on])`},
		row{"the blocking of both devices is forgotten", `return max(most, lagrangian(nodes, [candidate.Lanes]float64{}, true))`, `return most`},
		row{"bounds are rounded up", `device.Time(math.Floor(t * (1 - 1e-12)))`, `device.Time(math.Ceil(t))`},
		row{"a node is a barrier whatever it reads", `barrier[i] = waitAll == 0 && open <= i`, `barrier[i] = waitAll == 0`},
		row{"a node is a barrier whoever waits for it", `barrier[i] = waitAll == 0 && open <= i`, `barrier[i] = waitAny == 0 && open <= i`},
		row{"a node is closed whatever it reads", `gate[i], closed[i] = waitAny == 0, open <= i`, `gate[i], closed[i] = waitAny == 0, true`},
		row{"a part of a closed gate blocks both devices", `e.blocks = e.from == 0 && e.to == w.points-1`, `e.blocks = e.from == 0`},
		row{"parts between barriers do not add up", `base = max(base+s.betweenBarriers(nodes[from:i+1], start[from:i+1], tail[from:i+1], base), end[i])`, `base = max(s.betweenBarriers(nodes[from:i+1], start[from:i+1], tail[from:i+1], base), end[i])`},
		row{"the tiles of serial runs are forgotten", `more = serial.Costed(i)`, `_ = serial`},
	),
	file("internal/bound/node.go", in("internal/bound", ""),
		row{"what tiles leave out of a value counts as read", `all[k].Contains(full) && s.gapless(i, k, full)`, `all[k].Contains(full)`},
		row{"a device that must do nothing is asked", `if e.time > 0 && math.IsInf(weight[e.lane], 1) {`, `if e.time < 0 && math.IsInf(weight[e.lane], 1) {`},
		row{"the multiplier is not searched", `for range 20 {`, `for range 1 {`},
		row{"waits do not count at all multipliers", `busy, sum := wait, l*wait[0]+(1-l)*wait[1]`, `busy, sum := wait, 0.0`},
	),
	file("internal/bound/label.go", in("internal/bound", ""),
		row{"nothing loose unseals a gate", `sealed = false`, `sealed = true`},
		row{"the makespan is that of the worst state", `least = min(least, max(st.done, st.sums.most()))`, `least = max(0, max(st.done, st.sums.most()))`},
		row{"the makespan forgets the sums", `least = min(least, max(st.done, st.sums.most()))`, `least = min(least, st.done)`},
		row{"more tiles than two count in the bound of two", `if c.dim == candidate.Uncut || c.at > 0 {`, `if c.dim == candidate.Uncut || c.at >= 0 {`},
		row{"labels that meet keep the later end", `min(s.ends[1], o.ends[1]), min(s.done, o.done)`, `min(s.ends[1], o.ends[1]), max(s.done, o.done)`},
	),
	file("internal/bound/split.go", in("internal/bound", ""),
		row{"two tiles are three", `return cost[w.points-1][2]`, `return cost[w.points-1][1]`},
		row{"a third tile is free", `to[2] = min(to[2], min(from[1], from[2])+l)`, `to[2] = min(to[2], min(from[1], from[2]))`},
		row{"the first tile has the second's share of tracks", `v.chain = share*v.time[0] + (1-share)*v.time[1]`, `v.chain = (1-share)*v.time[0] + share*v.time[1]`},
		row{"both tiles follow each other where tracks are unknown", `v.chain = min(v.time[0], v.time[1])`, `v.chain = v.time[0] + v.time[1]`},
		row{"a launch of a PIM tile is not certain", `v.launch[p.Lane] = 1`, `v.launch[p.Lane] = 0`},
		row{"more tiles read what any of them reads", `out[d] = tensor.Range{Lo: max(a[d].Lo, b[d].Lo), Hi: min(a[d].Hi, b[d].Hi)}`, `out[d] = tensor.Range{Lo: min(a[d].Lo, b[d].Lo), Hi: max(a[d].Hi, b[d].Hi)}`},
	),
	file("internal/bound/transition.go", in("internal/bound", ""),
		row{"a tile that reads the second half waits for the first", `return waitsSecond`, `return waitsFirst`},
		row{"a tile that reads the first half waits for the second", `case r.Hi <= b.at:
		return waitsFirst`, `case r.Hi <= b.at:
		return waitsSecond`},
		row{"who waits for all waits for some", `case waitsAll:
		return s.done`, `case waitsAll:
		return min(s.ends[0], s.ends[1])`},
		row{"of a launch that is certain the length is lost", `busy[d] += launch * w.launch[d]`, `busy[d] += 0 * launch * w.launch[d]`},
		row{"the second tile starts with the first", `ends := [2]float64{start[0] + w.time[0], start[1] + w.time[1]}`, `ends := [2]float64{start[0] + w.time[0], start[0] + w.time[1]}`},
		row{"a node is done with its first tile", `done = max(done, ends[0], ends[1])`, `done = max(done, ends[0])`},
		row{"a certain launch is none after the GPU alone", `case e.sealed && w.onGPU:
				found[1].done`, `case e.sealed && w.onGPU:
				found[0].done`},
		row{"sums start from nothing where a split waits for some tiles", `base[k] = max(base[k], least)`, `base[k] = max(base[k], 0*least)`},
	),
)
