package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"pimflow/internal/files"
)

// Files names files by what is in them, and knows where they are. It reads each once.
type Files struct {
	mu     sync.Mutex
	hashes map[string]string // by path
	paths  map[string]string // by hash
}

// Ref names a file, and others that are read with it and lie in its folder or below.
func (f *Files) Ref(ctx context.Context, path string, others ...string) (Ref, error) {
	r := Ref{Name: filepath.Base(path)}
	for _, p := range append([]string{path}, others...) {
		name, err := filepath.Rel(filepath.Dir(path), p)
		if err != nil || !filepath.IsLocal(name) {
			return r, fmt.Errorf("%s: a file in the folder of %s or below wanted", p, path)
		}
		sum, err := f.sum(ctx, p)
		if err != nil {
			return r, err
		}
		r.Files = append(r.Files, File{filepath.ToSlash(name), sum})
	}
	return r, r.check(nil)
}

// sum is the SHA-256 of a file.
func (f *Files) sum(ctx context.Context, path string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hashes == nil {
		f.hashes, f.paths = map[string]string{}, map[string]string{}
	}
	if sum, ok := f.hashes[path]; ok {
		return sum, nil
	}
	r, err := os.Open(files.At(path))
	if err != nil {
		return "", err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, files.While(ctx, r)); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	sum := hex.EncodeToString(h.Sum(nil))
	f.hashes[path], f.paths[sum] = sum, path
	return sum, nil
}

// Path is where a file of a hash was read; "" for none.
func (f *Files) Path(sha256 string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.paths[sha256]
}
