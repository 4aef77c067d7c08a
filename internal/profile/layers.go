package profile

import (
	"fmt"
	"strconv"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// moved begins the names of what a runtime adds to a network: it moves values, and names the layers beside it.
const moved = "Reformatting CopyNode"

// pieces returns the names that a fused name is made of: "a + b", or "PWN(a, b)" for element-wise layers.
func pieces(name string) []string {
	if strings.HasPrefix(name, moved) {
		return nil
	}
	var list []string
	for p := range strings.SplitSeq(name, " + ") {
		if inner, ok := strings.CutPrefix(p, "PWN("); ok {
			inner = strings.TrimRight(strings.ReplaceAll(inner, "PWN(", ""), ")")
			for q := range strings.SplitSeq(inner, ", ") {
				list = append(list, strings.TrimRight(q, ")"))
			}
			continue
		}
		list = append(list, p)
	}
	return list
}

// layers returns the layers of a graph by name; a graph has each name once.
func layers(g *graph.Graph) map[string]graph.ID {
	at := map[string]graph.ID{}
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		if nd.Op != nil {
			at[nd.Name] = graph.ID(i)
		}
	}
	return at
}

// at is the only layer of a name, or -1 for none.
func (n *names) at(x named, layers map[string]graph.ID) (graph.ID, error) {
	found, by := graph.ID(-1), ""
	for _, p := range pieces(x.name) {
		id, ok := layers[p]
		switch {
		case !ok:
		case found >= 0 && id != found:
			return 0, fmt.Errorf("%s:%d: %.200q is two layers of the model, %.80q and %.80q: a time for each wanted", n.file, x.line, x.name, by, p)
		default:
			found, by = id, p
		}
	}
	return found, nil
}

// on makes a profile of times by name: each whole layer of a graph, whatever the GPU's channels. A fused name is that of
// the only layer in it, and layers of one kernel have the mean of their times. note says what matched no layer, and which
// layers have no time.
func (n *names) on(g *graph.Graph, t tensor.Type) (p *Profile, note string, err error) {
	p = &Profile{File: n.file}
	byName, rows := layers(g), map[string]int{}
	var times [][]device.Time // of each row
	lines := map[graph.ID]int{}
	var strangers []string
	var all, lost device.Time
	for _, x := range n.list {
		all += x.time
		id, err := n.at(x, byName)
		if err != nil {
			return nil, "", err
		}
		if id < 0 {
			strangers, lost = append(strangers, strconv.Quote(fault.Name(x.name))), lost+x.time
			continue
		}
		if first, twice := lines[id]; twice {
			return nil, "", fmt.Errorf("%s:%d: %.80q is layer %.80q, as the name in line %d is: one time for a layer wanted", n.file, x.line, x.name, g.Nodes[id].Name, first)
		}
		lines[id] = x.line
		if x.time == 0 {
			continue
		}
		k := Of(g, graph.Cut{Node: id, Box: tensor.Full(g.Nodes[id].Shape)}, t)
		r, ok := rows[k.key()]
		if !ok {
			r = len(p.Rows)
			rows[k.key()] = r
			p.Rows, times = append(p.Rows, Row{Kernel: k, Line: x.line, MeasuredOn: n.device, Network: g.Name, Layer: g.Nodes[id].Name}), append(times, nil)
		}
		times[r] = append(times[r], x.time)
	}
	if len(p.Rows) == 0 && len(strangers) == 0 {
		return nil, "", fmt.Errorf("%s: every name has a time of 0: more than 0 wanted", n.file)
	}
	if len(p.Rows) == 0 {
		return nil, "", fmt.Errorf("%s: no name with a time is that of a layer of %s, such as %.80q: %s", n.file, fault.Name(g.Name), firstLayer(g), few(strangers))
	}
	for i, list := range times {
		p.Rows[i].Time = mean(list)
		if more := len(list) - 1; more > 0 {
			p.Rows[i].Layer += fmt.Sprintf(" +%d", more)
		}
	}
	if len(strangers) > 0 {
		note = fmt.Sprintf("%s: %d of %d names are no layers, with %.1f %% of the time: %s", n.file, len(strangers), len(n.list), 100*float64(lost)/float64(max(all, 1)), few(strangers))
	}
	return p, note, nil
}

// few joins the first of some names.
func few(list []string) string {
	if len(list) > 3 {
		return strings.Join(list[:3], ", ") + ", ..."
	}
	return strings.Join(list, ", ")
}

// firstLayer is the name of the first layer.
func firstLayer(g *graph.Graph) string {
	for i := range g.Nodes {
		if g.Nodes[i].Op != nil {
			return g.Nodes[i].Name
		}
	}
	return ""
}

// mean is the rounded mean of some times.
func mean(list []device.Time) device.Time {
	var sum device.Time
	for _, t := range list {
		sum += t
	}
	n := device.Time(len(list))
	return (sum + n/2) / n
}
