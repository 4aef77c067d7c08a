package queue

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pimflow/internal/job"
	"pimflow/internal/result"
)

// put writes a file in a folder and returns its path.
func put(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// reader is an evaluator whose result is what is in the files of a job's model.
type reader struct {
	cache *Cache
	store *Store
}

func (r reader) Evaluate(ctx context.Context, j *job.Job, _ []string) (result.Row, string, error) {
	path, err := r.cache.Open(ctx, r.store, j.Model)
	if err != nil {
		return result.Row{}, "", err
	}
	row := failed(j, "")
	if strings.Contains(strings.Join(j.Set, " "), "fail") {
		return row, "", fmt.Errorf("%s:7: bad line", path)
	}
	err = filepath.WalkDir(filepath.Dir(path), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		row.ModelHash += fmt.Sprintf("%s=%s ", d.Name(), text)
		return err
	})
	return row, "", err
}

// TestFiles: the files of a job travel once, lie beside each other under their names, and are where the hashes say.
func TestFiles(t *testing.T) {
	_, s := serve(t, t.TempDir())
	dir := t.TempDir()
	model := put(t, filepath.Join(dir, "m", "a.onnx"), strings.Repeat("model", 1e5))
	other := put(t, filepath.Join(dir, "n", "a.onnx"), "another of this name")
	var files job.Files
	j, k := point(0), point(1)
	var err error
	if j.Model, err = files.Ref(t.Context(), model, put(t, filepath.Join(dir, "m", "data", "w"), "weights")); err != nil {
		t.Fatal(err)
	}
	if k.Model, err = files.Ref(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	cache := &Cache{Folder: t.TempDir(), Most: 1 << 20}
	w := Worker{Evaluator: reader{cache, s}, Names: names, Cache: cache}
	text, c := run(t, s, Sweep{Files: &files, Upload: true}, w, list(j, k))
	if c.Failed > 0 || !strings.Contains(text, `"model_hash":"a.onnx=`+strings.Repeat("model", 1e5)+` w=weights "`) || !strings.Contains(text, `"a.onnx=another of this name "`) {
		t.Errorf("%+v %.500s", c, text)
	}
	for _, f := range append(j.Model.Files, k.Model.Files...) {
		os.Remove(cache.object(f.SHA256)) // what is named is still there
		if err := s.objects.Delete(t.Context(), f.SHA256); err != nil {
			t.Fatal(err)
		}
	}
	l := j
	l.Set = []string{"memory.channels=9"}
	again := &Cache{Folder: cache.Folder, Most: 1 << 20} // another process
	if err := os.RemoveAll(filepath.Dir(model)); err != nil {
		t.Fatal(err)
	}
	if _, c := run(t, s, Sweep{}, Worker{Evaluator: reader{again, s}, Names: names, Cache: again}, list(l)); c.Evaluated != 1 || c.Failed != 0 {
		t.Errorf("%+v", c)
	}
	l.Set = append(l.Set, "fail=1")
	if text, _ := run(t, s, Sweep{}, Worker{Evaluator: reader{again, s}, Names: names, Cache: again}, list(l)); !strings.Contains(text, `"error":"a.onnx:7: bad line"`) {
		t.Error("an error has the folder of a worker: ", text)
	}
}

// TestBadFiles: what is in the store under a wrong hash, too large or not there is an error, and leaves no file.
func TestBadFiles(t *testing.T) {
	_, s := serve(t, t.TempDir())
	var files job.Files
	good, err := files.Ref(t.Context(), put(t, filepath.Join(t.TempDir(), "a.onnx"), "abc"))
	if err != nil {
		t.Fatal(err)
	}
	sha := good.Files[0].SHA256
	cache := &Cache{Folder: t.TempDir(), Most: 3}
	for _, c := range []struct{ text, want string }{
		{"", "object not found"}, {"abd", "another hash than " + sha}, {"abcd", "a file of 4 bytes: at most 3 wanted"}, {"abc", ""},
	} {
		if c.text != "" {
			if _, err := s.objects.PutBytes(t.Context(), sha, []byte(c.text)); err != nil {
				t.Fatal(err)
			}
		}
		path, err := cache.Open(t.Context(), s, good)
		if c.want == "" && err != nil || c.want != "" && !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%q: %v: %q wanted", c.text, err, c.want)
		}
		if data, _ := os.ReadFile(path); err == nil && string(data) != "abc" {
			t.Errorf("%s: %q", path, data)
		}
		if left, err := os.ReadDir(filepath.Join(cache.Folder, "objects")); c.want != "" && (err != nil && !os.IsNotExist(err) || len(left) > 0) {
			t.Error(err, left)
		}
	}
	bad := good
	bad.Files = []job.File{good.Files[0], {Name: "../../b", SHA256: sha}} // which no parsed job has
	if _, err := cache.Open(t.Context(), s, bad); err == nil || !strings.Contains(err.Error(), "a path within the folder wanted") {
		t.Error(err)
	}
}

// TestUploadChanged: a file that changed since it was named is not stored under its old hash.
func TestUploadChanged(t *testing.T) {
	_, s := serve(t, t.TempDir())
	var files job.Files
	path := put(t, filepath.Join(t.TempDir(), "a.onnx"), "abc")
	j := point(0)
	var err error
	if j.Model, err = files.Ref(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	put(t, path, "abd")
	var b bytes.Buffer
	if err := s.Sweep(t.Context(), Sweep{Files: &files, Upload: true}, list(j), lines(&b)); err == nil || !strings.Contains(err.Error(), "the file changed while it was read") {
		t.Error(err)
	}
	if _, err := s.objects.GetInfo(t.Context(), j.Model.Files[0].SHA256); err == nil {
		t.Error("it is stored")
	}
}
