package device

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
