package device

// Source is the origin of the time of a Cost.
type Source int

// The sources. The zero value is the model.
const (
	Modelled     Source = iota
	Measured            // for this very kernel
	Interpolated        // between measured sizes of the same layer
	Scaled              // the model's time, scaled by the error at measured sizes of the same layer
	Sources             // the number of sources
)

var sourceNames = [Sources]string{"model", "measured", "interpolated", "scaled"}

// String is the source's name in reports, as "interpolated".
func (s Source) String() string { return sourceNames[s] }
