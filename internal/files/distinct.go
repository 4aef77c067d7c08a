package files

import (
	"fmt"
	"os"
	"path/filepath"
)

// Named is a file and the words of the command line that name it, as "--trace".
type Named struct{ By, Name string }

// Distinct refuses an output that is an input, or another output. Pipes and devices may be several.
func Distinct(inputs, outputs []Named) error {
	for i, out := range outputs {
		for _, other := range append(outputs[:i:i], inputs...) {
			if same(out.Name, other.Name) {
				return fmt.Errorf("%s %s is %s %s: two files wanted", out.By, out.Name, other.By, other.Name)
			}
		}
	}
	return nil
}

// same reports whether names are those of one file, which need not be there yet.
func same(a, b string) bool {
	first, errA := os.Stat(a)
	second, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return first.Mode().IsRegular() && os.SameFile(first, second)
	}
	if errA == nil || errB == nil {
		return false
	}
	a, errA = followed(a)
	b, errB = followed(b)
	if errA != nil || errB != nil || filepath.Base(a) != filepath.Base(b) {
		return false
	}
	first, errA = os.Stat(filepath.Dir(a))
	second, errB = os.Stat(filepath.Dir(b))
	if errA != nil || errB != nil { // folders that are made later
		return filepath.Clean(a) == filepath.Clean(b)
	}
	return os.SameFile(first, second)
}
