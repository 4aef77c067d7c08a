package device

import (
	"fmt"
	"slices"
)

// Source says where the time of a Cost comes from.
type Source int

// The sources; what is only modelled is the zero value.
const (
	Modelled     Source = iota
	Measured            // of this very kernel
	Interpolated        // between measured sizes of the same layer
	Scaled              // the model's, by what measured sizes of the same layer took against it
	Sources             // the number of sources
)

var sourceNames = [Sources]string{"model", "measured", "interpolated", "scaled"}

// String is the source's name in reports, as "interpolated".
func (s Source) String() string { return sourceNames[s] }

// MarshalText is String.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Source) UnmarshalText(text []byte) error {
	i := slices.Index(sourceNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("source %q: one of %q wanted", text, sourceNames)
	}
	*s = Source(i)
	return nil
}
