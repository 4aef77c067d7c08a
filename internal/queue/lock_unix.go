//go:build unix

package queue

import (
	"errors"
	"os"
	"syscall"
)

// lockFile opens a file that no other process has open in the same way; the lock ends with the process.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		f.Close()
		return nil, errors.New("another process uses this folder: another one wanted, or its end")
	}
	return f, nil
}
