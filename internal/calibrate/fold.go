package calibrate

import "hash/fnv"

// Folds is the number of parts of the shapes for cross-validation.
const Folds = 5

// fold is the part of a shape. All measurements of a shape, on any GPU and in any type, are in
// the same part.
func fold(shape string) int {
	h := fnv.New32a()
	h.Write([]byte(shape))
	return int(h.Sum32() % Folds)
}

// part returns the sets with the kernels of the wanted folds.
func part(sets []*Set, wanted func(fold int) bool) []*Set {
	var out []*Set
	for _, s := range sets {
		p := *s
		p.kernels = nil
		for _, k := range s.kernels {
			if wanted(fold(k.row.shape())) {
				p.kernels = append(p.kernels, k)
			}
		}
		if len(p.kernels) > 0 {
			out = append(out, &p)
		}
	}
	return out
}
