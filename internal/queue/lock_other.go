//go:build !unix

package queue

import "os"

// lockFile opens a file. Here no lock keeps other processes away.
func lockFile(name string) (*os.File, error) { return os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o666) }
