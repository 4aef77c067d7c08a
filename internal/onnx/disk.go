package onnx

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"pimflow/internal/budget"
)

// disk is a file that values are read from until it is closed. It remembers whether it still is the file that was
// opened: reading it twice, or in parts, tells of one model only if nobody writes to it meanwhile.
type disk struct {
	*os.File
	name  string // as people know it
	size  int64
	since time.Time // of the last change when it was opened

	mu   sync.Mutex
	lost error // of the first read that failed
}

// open makes a disk of a file.
func open(file *os.File, name string) (*disk, error) {
	st, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("a regular file wanted")
	}
	return &disk{File: file, name: name, size: st.Size(), since: st.ModTime()}, nil
}

// source is the file to decode, of which so much may be kept.
func (d *disk) source(memory budget.Memory) *source {
	return &source{ReaderAt: d, size: d.size, memory: memory}
}

// ReadAt reads what was there when the file was opened, or keeps the error.
func (d *disk) ReadAt(p []byte, off int64) (int, error) {
	n, err := d.File.ReadAt(p, off)
	if n < len(p) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.lost == nil {
			d.lost = err
		}
	}
	return n, err
}

// whole returns the error of a file that was written to, or could not be read.
func (d *disk) whole() error {
	st, err := d.Stat()
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", d.name, err)
	case st.Size() != d.size || !st.ModTime().Equal(d.since):
		return fmt.Errorf("%s: it was changed while it was read: %d bytes of %s, now %d of %s",
			d.name, d.size, d.since.Format(time.DateTime), st.Size(), st.ModTime().Format(time.DateTime))
	case d.lost != nil:
		return fmt.Errorf("%s: %w", d.name, d.lost)
	}
	return nil
}
