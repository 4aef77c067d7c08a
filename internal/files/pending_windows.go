package files

// pending is a file that is written beside its place, in which it then replaces what is there.
type pending = beside

// newPending begins a file. Windows has no permissions to keep: renameio has no build for it.
func newPending(place string) (*pending, error) { return newBeside(place) }
