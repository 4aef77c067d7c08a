package job

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var known = &Names{Models: []string{"toy"}, Machines: []string{"newton"}, GPUs: []string{"t4"}, Policies: []string{"auto"}, Objectives: []string{"latency"}}

func sample() Job {
	return Job{
		Schema: Schema, Version: "v", Model: Ref{Name: "a.onnx", Files: []File{{"a.onnx", strings.Repeat("0a", 32)}, {"data/w", strings.Repeat("1b", 32)}}},
		Batch: 4, Machine: Ref{Name: "newton"}, GPU: &Ref{Name: "t4"}, Set: []string{"memory.pim_channels=8", "gpu.name=<ä>"},
		Policy: "auto", Objective: "latency", Effort: "low", Starts: []Key{Key(strings.Repeat("2c", 32))},
	}
}

// TestKey: every field decides.
func TestKey(t *testing.T) {
	base := sample()
	if again := sample(); base.Key() != again.Key() || !hash.MatchString(string(base.Key())) {
		t.Error(base.Key(), again.Key())
	}
	seen := map[Key]bool{base.Key(): true}
	for i, change := range []func(*Job){
		func(j *Job) { j.Version = "w" },
		func(j *Job) { j.Model.Name = "b.onnx" },
		func(j *Job) { j.Model.Files[1].SHA256 = strings.Repeat("2b", 32) },
		func(j *Job) { j.Batch = 5 },
		func(j *Job) { j.Machine.Name = "aim" },
		func(j *Job) { j.GPU = nil },
		func(j *Job) { j.Set[0] = "memory.pim_channels=9" },
		func(j *Job) { j.Policy = "gpu" },
		func(j *Job) { j.Objective = "energy" },
		func(j *Job) { j.Effort = "high" },
		func(j *Job) { j.Starts = nil },
		func(j *Job) { j.Search = All },
	} {
		j := sample()
		if change(&j); seen[j.Key()] {
			t.Errorf("change %d: the key of another", i)
		}
		seen[j.Key()] = true
	}
}

// TestParseBlock: what is written is read, and nothing that differs from it.
func TestParseBlock(t *testing.T) {
	whole := (&Block{Schema: BlockSchema, Jobs: []Job{sample(), sample()}}).Encode()
	b, err := ParseBlock(whole, "v", known)
	if err != nil || !bytes.Equal(b.Encode(), whole) {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		change     func(*Job)
	}{
		{"schema", "schema", func(j *Job) { j.Schema = "pimflow.job/2" }},
		{"version", "version", func(j *Job) { j.Version = "w" }},
		{"unknown model", "a name that is built in", func(j *Job) { j.Model = Ref{Name: "tox"} }},
		{"model is a path", "a name without folders", func(j *Job) { j.Model.Name = "../a.onnx" }},
		{"unknown machine", "a name that is built in", func(j *Job) { j.Machine.Name = "newton.json" }},
		{"unknown gpu", "a name that is built in", func(j *Job) { j.GPU.Name = "t5" }},
		{"unknown policy", "the name of a policy", func(j *Job) { j.Policy = "best" }},
		{"unknown objective", "the name of an objective", func(j *Job) { j.Objective = "" }},
		{"effort", "a number of steps", func(j *Job) { j.Effort = "1e9" }},
		{"batch", "0 to", func(j *Job) { j.Batch = -1 }},
		{"file that climbs", "a path within the folder", func(j *Job) { j.Model.Files[1].Name = "../../.ssh/authorized_keys" }},
		{"absolute file", "a path within the folder", func(j *Job) { j.Model.Files[1].Name = "/etc/passwd" }},
		{"file of another system", "a path within the folder", func(j *Job) { j.Model.Files[1].Name = `c:\w` }},
		{"first file in a folder", "a name without folders", func(j *Job) { j.Model.Files[0].Name = "a/a.onnx" }},
		{"file twice", "it is there twice", func(j *Job) { j.Model.Files[1].Name = "A.onnx" }},
		{"file with a control character", "a path within the folder", func(j *Job) { j.Model.Files[1].Name = "w\n" }},
		{"hash", "a SHA-256 in hexadecimal", func(j *Job) { j.Model.Files[1].SHA256 = strings.Repeat("0A", 32) }},
		{"start", "a SHA-256 in hexadecimal", func(j *Job) { j.Starts[0] = "../x" }},
		{"no way to search", `search "most": all, or none, wanted`, func(j *Job) { j.Search = "most" }},
		{"all of no plans", `search "all": all, or none, wanted`, func(j *Job) { j.Search, j.Starts = All, nil }},
		{"too many starts", "at most 256", func(j *Job) { j.Starts = make([]Key, 257) }},
		{"too many keys", "at most 256", func(j *Job) { j.Set = make([]string, 257) }},
		{"key", "KEY=VALUE wanted", func(j *Job) { j.Set[0] = "memory" }},
		{"long key", "KEY=VALUE wanted", func(j *Job) { j.Set[0] = "a=" + strings.Repeat("x", 200) }},
		{"too many files", "at most 1024", func(j *Job) { j.Model.Files = make([]File, 1025) }},
		{"other batch", "another model or batch", func(j *Job) { j.Batch = 5 }},
	} {
		bad := sample()
		c.change(&bad)
		data := (&Block{Schema: BlockSchema, Jobs: []Job{sample(), bad}}).Encode()
		if _, err := ParseBlock(data, "v", known); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v: %q wanted", c.name, err, c.want)
		}
	}
	text := string(whole)
	for name, data := range map[string]string{
		"nothing": "", "no jobs": `{"schema":"pimflow.block/1","jobs":[]}`, "null": "null",
		"unknown key":     strings.Replace(text, `"policy"`, `"path":"/","policy"`, 1),
		"key twice":       strings.Replace(text, `"policy"`, `"policy":"gpu","policy"`, 1),
		"key in capitals": strings.Replace(text, `"policy"`, `"Policy"`, 1),
		"spaces":          strings.Replace(text, `,"policy"`, `, "policy"`, 1),
		"more behind it":  text + "{}",
		"bad text":        strings.Replace(text, `auto`, "au\xffto", 1),
		"other schema":    strings.Replace(text, BlockSchema, "pimflow.block/2", 1),
		"too many jobs":   string((&Block{Schema: BlockSchema, Jobs: make([]Job, MaxJobs+1)}).Encode()),
		"too long":        text + strings.Repeat(" ", MaxBytes),
	} {
		if _, err := ParseBlock([]byte(data), "v", known); err == nil {
			t.Errorf("%s: it is read", name)
		}
	}
}

// FuzzParseBlock: whatever is read is what Encode writes.
func FuzzParseBlock(f *testing.F) {
	f.Add((&Block{Schema: BlockSchema, Jobs: []Job{sample()}}).Encode())
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if b, err := ParseBlock(data, "v", known); err == nil && !bytes.Equal(b.Encode(), data) {
			t.Error("read and written otherwise")
		}
	})
}

// TestFiles: a Ref names files by their hashes and paths below the first's folder.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"m/a.onnx": "abc", "m/data/w": "", "other": ""} {
		os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var f Files
	model := filepath.Join(dir, "m", "a.onnx")
	r, err := f.Ref(t.Context(), model, filepath.Join(dir, "m", "data", "w"))
	const abc, empty = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if err != nil || r.Name != "a.onnx" || len(r.Files) != 2 || r.Files[0] != (File{"a.onnx", abc}) || r.Files[1] != (File{"data/w", empty}) || f.Path(abc) != model {
		t.Error(r, err)
	}
	if _, err := f.Ref(t.Context(), model, filepath.Join(dir, "other")); err == nil || !strings.HasSuffix(err.Error(), "in the folder of "+model+" or below wanted") {
		t.Error(err)
	}
	if _, err := f.Ref(t.Context(), filepath.Join(dir, "none")); !os.IsNotExist(err) {
		t.Error(err)
	}
}
