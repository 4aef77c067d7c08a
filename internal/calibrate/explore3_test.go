package calibrate
import ("testing";"pimflow/internal/hw")
func variants(t *testing.T, base func(edit func(b *hw.Board)) (*Calibration, []*Set)) {}
