package emit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"pimflow/internal/files"
	"pimflow/internal/hw"
	"pimflow/internal/jsontext"
)

// maxManifest bounds the bytes of a manifest: 300 for each stream, and 100,000 streams.
const maxManifest = 1 << 25

// Read reads the manifest and the machine of a folder that Folder wrote. The error names the file and what is wrong with it.
func Read(folder string) (*Manifest, *hw.Machine, error) {
	name := filepath.Join(folder, ManifestName)
	switch info, err := os.Stat(name); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("%s: no %s in it: a folder of pimflow emit wanted", folder, ManifestName)
	case err == nil && !info.Mode().IsRegular():
		return nil, nil, fmt.Errorf("%s: a regular file wanted", name)
	}
	data, err := files.Read(name, maxManifest)
	if err != nil {
		return nil, nil, err
	}
	wrong := func(format string, a ...any) (*Manifest, *hw.Machine, error) {
		return nil, nil, fmt.Errorf("%s: %s: the manifest of pimflow emit wanted", name, fmt.Sprintf(format, a...))
	}
	m := &Manifest{}
	if err := jsontext.Strict(data, m); err != nil {
		return wrong("%v", err)
	}
	if m.Schema != Schema {
		return wrong("schema %.80q instead of %q", m.Schema, Schema)
	}
	for _, s := range m.Steps {
		if s == nil || slices.Contains(s.Channels, nil) {
			return wrong("a step or a channel is null")
		}
	}
	seen := map[string]bool{}
	for _, f := range m.all() {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) || seen[f.Name] {
			return wrong("file %.80q", f.Name)
		}
		seen[f.Name] = true
	}
	for _, f := range m.shared() {
		if err := f.verify(context.Background(), folder, 0); err != nil {
			return nil, nil, err
		}
	}
	machine, err := hw.Load(filepath.Join(folder, MachineName))
	if err != nil {
		return nil, nil, err
	}
	if err := m.check(name, machine); err != nil {
		return nil, nil, err
	}
	return m, machine, nil
}

// shared are the files of all steps.
func (m *Manifest) shared() []File {
	return []File{{MachineName, m.Hash}, {PlanName, m.PlanHash}}
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
	sizes := map[string]int64{}
	for _, c := range m.AllChannels() {
		sizes[c.File] = c.Bytes
	}
	for _, f := range m.all() {
		if err := f.verify(ctx, folder, sizes[f.Name]); err != nil {
			return err
		}
	}
	return nil
}

// verify holds a file against its hash and its size, unless size is 0.
func (f File) verify(ctx context.Context, folder string, size int64) error {
	name := filepath.Join(folder, filepath.FromSlash(f.Name))
	in, err := openRegular(name)
	if err != nil {
		return err
	}
	defer in.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, files.While(ctx, in))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != f.SHA256 {
		return fmt.Errorf("%s: SHA-256 %.12s…: %.12s… wanted, that of %s", name, got, f.SHA256, ManifestName)
	}
	if size > 0 && n != size {
		return fmt.Errorf("%s: %d bytes: %d wanted, those of %s", name, n, size, ManifestName)
	}
	return nil
}

// openRegular opens a file of a folder: what is no regular file may never end.
func openRegular(name string) (io.ReadCloser, error) {
	switch info, err := os.Stat(name); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no such file: that of %s wanted", name, ManifestName)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: a regular file wanted", name)
	}
	return files.Open(name, math.MaxInt64)
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
				if c.Images.Program.Name != "" {
					list = append(list, c.Images.Program)
				}
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
