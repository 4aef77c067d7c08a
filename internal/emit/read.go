package emit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/hw"
)

// maxManifest bounds the bytes of a manifest: 300 for each stream, and 100,000 streams.
const maxManifest = 1 << 25

// Read reads the manifest and the machine of a folder that Folder wrote. The error names the file and what is wrong with it.
func Read(folder string) (*Manifest, *hw.Machine, error) {
	name := filepath.Join(folder, ManifestName)
	data, err := files.Read(name, maxManifest)
	if err != nil {
		return nil, nil, err
	}
	wrong := func(format string, a ...any) (*Manifest, *hw.Machine, error) {
		return nil, nil, fmt.Errorf("%s: %s: the manifest of pimflow emit wanted", name, fmt.Sprintf(format, a...))
	}
	m := &Manifest{}
	if err := json.Unmarshal(data, m); err != nil {
		var at *json.SyntaxError
		var of *json.UnmarshalTypeError
		switch {
		case errors.As(err, &at):
			return wrong("byte %d: it is no JSON", at.Offset)
		case errors.As(err, &of):
			return wrong("byte %d: a %s in %s", of.Offset, of.Value, of.Field)
		}
		return wrong("a value of another form")
	}
	if m.Schema != Schema {
		return wrong("schema %.80q instead of %q", m.Schema, Schema)
	}
	if _, err := formatOf(m.Format); err != nil {
		return wrong("format %.80q", m.Format)
	}
	seen := map[string]bool{}
	for _, s := range m.Steps {
		if s == nil || slices.Contains(s.Channels, nil) {
			return wrong("a step or a channel is null")
		}
	}
	for _, f := range m.all() {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) || seen[f.Name] {
			return wrong("file %.80q", f.Name)
		}
		seen[f.Name] = true
	}
	machine, err := hw.Load(filepath.Join(folder, MachineName))
	if err != nil {
		return nil, nil, err
	}
	if machine.PIM.Standard != m.Standard {
		return wrong("standard %.80q, %s in %s", m.Standard, machine.PIM.Standard, MachineName)
	}
	return m, machine, nil
}

// Files are the files of a folder's streams, in order.
func (m *Manifest) Files(folder string) (list []string) {
	for _, s := range m.Steps {
		for _, c := range s.Channels {
			list = append(list, filepath.Join(folder, filepath.FromSlash(c.File)))
		}
	}
	return list
}

// Verify hashes the files of a folder's streams. The error names the first that is not as it was written.
func (m *Manifest) Verify(ctx context.Context, folder string) error {
	for _, file := range m.all() {
		name := filepath.Join(folder, filepath.FromSlash(file.Name))
		f, err := files.Open(name, math.MaxInt64)
		if err != nil {
			return err
		}
		hash := sha256.New()
		_, err = io.Copy(hash, files.While(ctx, f))
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if got := hex.EncodeToString(hash.Sum(nil)); got != file.SHA256 {
			return fmt.Errorf("%s: SHA-256 %.12s…: %.12s… wanted, that of %s", name, got, file.SHA256, ManifestName)
		}
	}
	return nil
}

// all are the files of all streams and images.
func (m *Manifest) all() (list []File) {
	for _, s := range m.Steps {
		if s.Images != nil {
			list = append(list, s.Images.Inputs, s.Images.Results)
		}
		for _, c := range s.Channels {
			list = append(list, File{c.File, c.SHA256})
			if c.Images != nil {
				list = append(list, c.Images.Rows, c.Images.Weights, c.Images.Reads)
			}
		}
	}
	return list
}

// AllChannels are the streams of a folder in order.
func (m *Manifest) AllChannels() (list []*Channel) {
	for _, s := range m.Steps {
		list = append(list, s.Channels...)
	}
	return list
}

// Hold is the error of a stream that takes other cycles than the manifest says.
func (c *Channel) Hold(name string, cycles int64) error {
	if cycles != c.Last {
		return fault.As(fault.Infeasible, fmt.Errorf("%s: %d cycles: %d wanted, those of %s", name, cycles, c.Last, ManifestName))
	}
	return nil
}

// endOfCode is the cycles of EOC: the host decodes it, and waits for its answer.
const endOfCode = 2

// HoldHost is Hold of host instructions.
func (c *Channel) HoldHost(name string, cycles int64) error {
	if cycles != c.Requested+endOfCode {
		return fault.As(fault.Infeasible, fmt.Errorf("%s: %d cycles: %d wanted, those of %s and %d of EOC", name, cycles, c.Requested+endOfCode, ManifestName, endOfCode))
	}
	return nil
}
