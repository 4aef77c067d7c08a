package search

import (
	"fmt"
	"strings"

	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// Parse returns the tiles of the option as a plan has them. id is the operation.
func (o *Option) Parse(id graph.ID) ([]plan.Tile, error) {
	var list []plan.Tile
	for _, s := range strings.Split(o.Tiles, " + ") {
		dev, _, ok := strings.Cut(s, "[")
		if !ok {
			return nil, fmt.Errorf("option %.80q: device[box] wanted", s)
		}
		box, err := tensor.ParseBox(s[len(dev):])
		if err != nil {
			return nil, fmt.Errorf("option %.80q: %w", s, err)
		}
		list = append(list, plan.Tile{Cut: graph.Cut{Node: id, Box: box}, Device: dev})
	}
	return list, nil
}
