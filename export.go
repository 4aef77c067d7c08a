package pimflow

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"pimflow/internal/graph"
	"pimflow/internal/onnx"
	"pimflow/internal/transform"
)

// Export writes a plan as an .onnx model: a node a tile, with Slice and Concat around it for exactly what the tile needs, halos
// included. It computes what the simplified model does. Metadata of a node (metadata_props) has the keys pimflow.layer,
// pimflow.device, pimflow.box, pimflow.segment and pimflow.order, the tile's place in the plan; those of the model have
// pimflow.machine, pimflow.policy and pimflow.pim_channels. whole names the layers that the plan cuts and the model does not:
// their operators cannot make a part by themselves.
func (s *Session) Export(w io.Writer, p *Plan) (whole []string, err error) {
	defer s.whole(&err)
	if p, err = s.own(p); err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(s.model.Nodes, func(nd graph.Node) bool { return nd.Sized() }); i >= 0 {
		return nil, fmt.Errorf("%s: layer %.80q has sizes that depend on data: a model of the largest computes other values, and --until ends the network before it", s.name, sizesOf(s.model)[0].Layer)
	}
	r, err := transform.Run(s.graph, p.plan)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	notes := onnx.Notes{
		Model: []onnx.Note{
			{Key: "pimflow.machine", Value: s.machine.Name}, {Key: "pimflow.policy", Value: p.plan.Policy},
			{Key: "pimflow.pim_channels", Value: strconv.Itoa(p.plan.PIMChannels)},
		},
		Nodes: map[graph.ID][]onnx.Note{},
	}
	for id, at := range r.Places {
		notes.Nodes[id] = []onnx.Note{
			{Key: "pimflow.layer", Value: s.graph.Nodes[at.Node].Name}, {Key: "pimflow.device", Value: at.Device}, {Key: "pimflow.box", Value: at.Box.String()},
			{Key: "pimflow.segment", Value: strconv.Itoa(at.Segment)}, {Key: "pimflow.order", Value: strconv.Itoa(at.Order)},
		}
		if at.Exclusive {
			notes.Nodes[id] = append(notes.Nodes[id], onnx.Note{Key: "pimflow.exclusive", Value: "true"})
		}
	}
	for _, id := range r.Uncut {
		whole = append(whole, s.graph.Nodes[id].Name)
	}
	return whole, onnx.WriteNotes(w, r.Graph, notes)
}
