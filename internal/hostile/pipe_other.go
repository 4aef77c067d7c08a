//go:build !unix

package hostile

import "os"

// pipe makes a folder, as there are no pipes.
func pipe(path string) error { return os.Mkdir(path, 0o777) }
