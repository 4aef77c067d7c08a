//go:build !windows

package files

import "github.com/google/renameio/v2"

// pending is a file that is written beside its place, in which it then replaces what is there.
type pending = renameio.PendingFile

// newPending begins a file. It keeps the permissions of the file that it replaces.
func newPending(place string) (*pending, error) {
	return renameio.NewPendingFile(place, renameio.WithPermissions(0o666), renameio.WithExistingPermissions())
}
