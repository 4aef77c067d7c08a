package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"pimflow/internal/files"
	"pimflow/internal/job"
)

// slowest is the slowest transfer that is waited for, in bytes a second. Estimated.
const slowest = 1 << 20

// upload puts the files of a job into the store that are not there.
func (s *Store) upload(ctx context.Context, from *job.Files, done map[string]bool, refs ...*job.Ref) error {
	for _, r := range refs {
		if r == nil {
			continue
		}
		for _, f := range r.Files {
			if done[f.SHA256] {
				continue
			}
			if err := s.uploadFile(ctx, from, f); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
			done[f.SHA256] = true
		}
	}
	return nil
}

func (s *Store) uploadFile(ctx context.Context, from *job.Files, f job.File) error {
	path := from.Path(f.SHA256)
	r, err := os.Open(files.At(path))
	if err != nil {
		return err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return err
	}
	return s.tryFor(ctx, transfer(info.Size()), "upload", func(ctx context.Context) error {
		if there, err := s.objects.GetInfo(ctx, f.SHA256); err == nil && int64(there.Size) == info.Size() {
			return nil
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		h := sha256.New()
		_, err := s.objects.Put(ctx, jetstream.ObjectMeta{Name: f.SHA256}, io.TeeReader(r, h))
		if err == nil && hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
			err = errors.Join(fmt.Errorf("%s: the file changed while it was read", path), s.objects.Delete(ctx, f.SHA256))
		}
		return err
	})
}

// transfer is how long a transfer of so many bytes is waited for.
func transfer(bytes int64) time.Duration {
	return time.Minute + time.Duration(bytes/slowest)*time.Second
}

// Cache is a folder of files from a store, by their hashes, and of their names beside each other. Several processes may
// share it. Nothing else is written, whatever a job says.
type Cache struct {
	Folder string
	Most   int64      // bytes of a file
	Local  *job.Files // files of this machine, which need not be fetched; nil: none

	mu    sync.Mutex
	known map[string]string // path by the names and hashes of a Ref
}

// Open returns the path of a Ref's first file on this machine, with its others where it looks for them, and the name of
// what is built in.
func (c *Cache) Open(ctx context.Context, s *Store, r job.Ref) (string, error) {
	if len(r.Files) == 0 {
		return r.Name, nil
	}
	if c.Local != nil {
		if path := c.Local.Path(r.Files[0].SHA256); path != "" && filepath.Base(path) == r.Files[0].Name {
			return path, nil
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	text, err := json.Marshal(r.Files)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(text)
	name := hex.EncodeToString(h[:])
	path := filepath.Join(c.Folder, "named", name, r.Files[0].Name)
	if c.known[name] != "" {
		return path, nil
	}
	if _, err := os.Stat(filepath.Join(c.Folder, "named", name)); err != nil {
		for _, f := range r.Files {
			if err := c.fetch(ctx, s, f.SHA256); err != nil {
				return "", fmt.Errorf("%.80q: %w", f.Name, err)
			}
		}
		if err := c.name(name, r.Files); err != nil {
			return "", err
		}
	}
	if c.known == nil {
		c.known = map[string]string{}
	}
	c.known[name] = path
	return path, nil
}

// object is the place of a file with a hash.
func (c *Cache) object(sha string) string { return filepath.Join(c.Folder, "objects", sha) }

// fetch brings a file of the store into the folder, as a whole and with its hash, or not at all.
func (c *Cache) fetch(ctx context.Context, s *Store, sha string) error {
	if _, err := os.Stat(c.object(sha)); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(c.Folder, "objects"), 0o777); err != nil {
		return err
	}
	var info *jetstream.ObjectInfo
	err := s.try(ctx, "file "+sha, func(ctx context.Context) (err error) {
		info, err = s.objects.GetInfo(ctx, sha)
		return err
	})
	if err != nil {
		return err
	}
	if info.Size > uint64(c.Most) {
		return fmt.Errorf("a file of %d bytes: at most %d wanted", info.Size, c.Most)
	}
	return s.tryFor(ctx, transfer(int64(info.Size)), "file "+sha, func(ctx context.Context) error {
		r, err := s.objects.Get(ctx, sha)
		if err != nil {
			return err
		}
		defer r.Close()
		return c.keep(r, sha)
	})
}

// keep writes what is read, if its hash is that.
func (c *Cache) keep(r io.Reader, sha string) (err error) {
	f, err := os.CreateTemp(filepath.Join(c.Folder, "objects"), "part-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(r, c.Most+1))
	switch {
	case err != nil:
		return err
	case n > c.Most:
		return fmt.Errorf("more than %d bytes", c.Most)
	case hex.EncodeToString(h.Sum(nil)) != sha:
		return fmt.Errorf("another hash than %s", sha)
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(f.Name(), c.object(sha))
}

// name puts files beside each other under their names, in a folder that appears as a whole.
func (c *Cache) name(folder string, files []job.File) error {
	named := filepath.Join(c.Folder, "named")
	if err := os.MkdirAll(named, 0o777); err != nil {
		return err
	}
	part, err := os.MkdirTemp(named, "part-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part)
	root, err := os.OpenRoot(part) // names that led out of it would be errors
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range files {
		local := filepath.FromSlash(f.Name)
		if !filepath.IsLocal(local) {
			return fmt.Errorf("%.80q: a path within the folder wanted", f.Name)
		}
		if err := root.MkdirAll(filepath.Dir(local), 0o777); err != nil {
			return err
		}
		if err := os.Link(c.object(f.SHA256), filepath.Join(part, local)); err != nil {
			return err
		}
	}
	err = os.Rename(part, filepath.Join(named, folder))
	if _, there := os.Stat(filepath.Join(named, folder)); there == nil {
		return nil // by another process
	}
	return err
}
