//go:build unix

package hostile

import "syscall"

// pipe makes a pipe that nobody writes to.
func pipe(path string) error { return syscall.Mkfifo(path, 0o666) }
