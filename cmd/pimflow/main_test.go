package main

import (
	"bytes"
	"context"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"pimflow"
)

func TestMain(m *testing.M) {
	command := func() {
		firstLine = 24 * time.Hour
		main()
	}
	testscript.Main(m, map[string]func(){"pimflow": command, "fake-runner": fakeRunner, "measure": measure, "write-models": writeModels})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Setup: func(e *testscript.Env) error {
		e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, ".cache"))
		return nil
	}})
}

// example is a command shown in a document, and what it is said to print.
type example struct {
	file    string
	line    int
	command string
	output  string
}

var fence = regexp.MustCompile("(?s)```[a-z]*\n(.*?)```")

// examples returns the commands of a document: in a fenced block, each line that
// begins with `$ ` and mentions pimflow, with the lines up to the next.
func examples(t *testing.T, file string) []example {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []example
	for _, m := range fence.FindAllSubmatchIndex(data, -1) {
		line := 1 + bytes.Count(data[:m[2]], []byte("\n"))
		var cur *example
		for _, text := range strings.SplitAfter(string(data[m[2]:m[3]]), "\n") {
			if cmd, ok := strings.CutPrefix(text, "$ "); ok {
				list = append(list, example{file: file, line: line, command: strings.TrimSpace(cmd)})
				cur = &list[len(list)-1]
			} else if cur != nil {
				cur.output += text
			}
			line++
		}
	}
	return list
}

var (
	update = flag.Bool("update", false, "write what commands print into the documents, where it is shown whole")
	long   = flag.Bool("long", false, "also run the commands of the documents that take long")
)

// slow are the documents, and commands of other documents, that run with -long only.
var slow = []string{
	"../../docs/batch.md", "../../docs/channels.md", "../../docs/figures.md", "../../docs/gpu-model.md", "../../docs/guided.md", "../../docs/limits.md", "../../docs/policies.md", "../../docs/reproduce.md", "../../docs/results.md", "../../docs/sensitivity.md",
	"pimflow sweep --model mobilenet-v2 --set memory.channel_gb_per_s=20,28,40",
	"pimflow explain mobilenet-v2 features.14.conv.2",
	"pimflow compare mobilenet-v2 mnasnet-1.0 efficientnet-b0 resnet-50 vgg-16 --policy gpu,pimflow,auto",
	"pimflow compare mobilenet-v2 mnasnet-1.0 efficientnet-b0 resnet-50 vgg-16 --machine newton,aim,lpddr5-aim,hbm-pim,hbm3-pim --policy pimflow,auto",
	"pimflow compare mobilenet-v2 resnet-50 --policy gpu,by-benefit,pimflow,auto --machine aim --columns 0",
	"pimflow compare mobilenet-v2 resnet-50 --policy gpu,by-benefit,pimflow,auto --machine newton --columns 0",
}

// TestDocs runs every `$ pimflow …` (or `$ go run ./cmd/pimflow …`, or `$ printf … | pimflow …`) of the documents, each of which
// is a subtest, in order, in one folder with the .csv files of docs, and docs and ortcheck themselves, and compares
// what it prints. A shown line "..." stands for any lines. Figures that the commands write, .svg, are
// those of docs, byte by byte.
func TestDocs(t *testing.T) {
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob("../../docs/*.csv")
	if err != nil {
		t.Fatal(err)
	}
	docs = append(docs, "../../README.md", "../../ARCHITECTURE.md", "../../RATIONALE.md")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// testscript.Main runs the command when the test binary is called by its name.
	bin := filepath.Join(t.TempDir(), "pimflow")
	if err := os.Symlink(self, bin); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, doc := range docs {
		if slices.Contains(slow, doc) && !*long {
			continue
		}
		t.Run(filepath.Base(doc), func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range tables {
				data, err := os.ReadFile(file)
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), data, 0o666)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{"docs", "ortcheck"} {
				if err := os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			for _, ex := range examples(t, doc) {
				line := strings.Replace(ex.command, "go run ./cmd/pimflow ", "pimflow ", 1)
				if !strings.HasPrefix(line, "pimflow ") && !strings.HasPrefix(line, "printf ") || slices.Contains(slow, ex.command) && !*long {
					continue
				}
				ran++
				c := exec.Command("sh", "-c", line)
				c.Dir = dir
				c.Env = append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(dir, ".cache"), "PATH="+filepath.Dir(bin)+string(os.PathListSeparator)+os.Getenv("PATH"))
				out, err := c.CombinedOutput()
				if err != nil {
					t.Errorf("%s:%d: %s: %v\n%s", ex.file, ex.line, ex.command, err, out)
					continue
				}
				if *update && !strings.Contains("\n"+ex.output, "\n...\n") {
					ex.write(t, string(out))
				} else if !matches(ex.output, string(out)) {
					t.Errorf("%s:%d: %s prints otherwise:\n%s", ex.file, ex.line, ex.command, cmp.Diff(ex.output, string(out)))
				}
			}
			compareFigures(t, doc, dir)
		})
	}
	if ran == 0 {
		t.Error("no command is in the documents")
	}
}

// maxFigure bounds the figures of documents, in bytes.
const maxFigure = 60_000

// compareFigures compares the figures that the commands of a document wrote into a folder with those of docs, byte by byte. Each
// figure that the document shows must be among them.
func compareFigures(t *testing.T, doc, dir string) {
	made, err := filepath.Glob(filepath.Join(dir, "*.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range made {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		place := filepath.Join("../../docs", filepath.Base(name))
		if *update {
			if err := os.WriteFile(place, got, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(place); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: its commands write another %s than docs has (%v)", doc, filepath.Base(name), err)
		}
		if len(got) > maxFigure {
			t.Errorf("%s: %d bytes, at most %d wanted", place, len(got), maxFigure)
		}
	}
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`!\[[^]]*\]\(([^)]+\.svg)\)`).FindAllSubmatch(text, -1) {
		if name := string(m[1]); filepath.Base(doc) != "README.md" && !slices.Contains(made, filepath.Join(dir, name)) {
			t.Errorf("%s shows %s, which no command of it writes", doc, name)
		} else if _, err := os.Stat(filepath.Join(filepath.Dir(doc), name)); err != nil {
			t.Errorf("%s shows a figure that there is not: %v", doc, err)
		}
	}
}

// write puts what a command prints into its document.
func (ex *example) write(t *testing.T, out string) {
	data, err := os.ReadFile(ex.file)
	if err != nil {
		t.Fatal(err)
	}
	command := "$ " + ex.command + "\n"
	if out = strings.TrimRight(out, "\n"); out != "" {
		out += "\n"
	}
	data = bytes.Replace(data, []byte(command+ex.output), []byte(command+out), 1)
	if err := os.WriteFile(ex.file, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// matches reports whether out is what is shown, where a line "..." shown stands
// for any number of lines.
func matches(shown, out string) bool {
	parts := strings.Split("\n"+strings.TrimRight(shown, "\n")+"\n", "\n...\n")
	rest := "\n" + strings.TrimRight(out, "\n") + "\n"
	for i, p := range parts {
		if i > 0 {
			p = "\n" + p
		}
		if i < len(parts)-1 {
			p += "\n"
		}
		at := strings.Index(rest, p)
		if at < 0 || i == 0 && at != 0 {
			return false
		}
		if i == len(parts)-1 {
			return strings.HasSuffix(rest, p)
		}
		rest = rest[at+len(p)-1:]
	}
	return true
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		shown, out string
		want       bool
	}{
		{"a\nb\n", "a\nb\n", true},
		{"a\nb\n", "a\nc\n", false},
		{"a\n...\nc\n", "a\nb\nb\nc\n", true},
		{"a\n...\nc\n", "a\nb\n", false},
		{"a\n...\n", "a\nb\n", true},
		{"...\nb\n", "a\nb\n", true},
		{"b\n...\n", "a\nb\n", false},
		{"", "", true},
		{"", "a\n", false},
	} {
		if got := matches(c.shown, c.out); got != c.want {
			t.Errorf("%q shown, %q printed: %v", c.shown, c.out, got)
		}
	}
}

// TestStoppedSearch: what a search has found when it is stopped is shown; a command that
// needs all of it is not.
func TestStoppedSearch(t *testing.T) {
	reading := newLooked(t.Context(), -1)
	s, err := pimflow.Open(reading, "mobilenet-v2", pimflow.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	file := filepath.Join(t.TempDir(), "m.plan")
	for _, c := range []struct {
		args        []string
		out, stderr string
	}{
		{[]string{"run", "mobilenet-v2", "--check", "-o", file}, "auto, stopped before the end.", "the search was stopped: the plan is the best one so far"},
		{[]string{"run", "mobilenet-v2", "--json"}, `"stopped": true`, "the search was stopped"},
		{[]string{"run", "mobilenet-v2", "--policy", "pimflow"}, "", "pimflow: interrupted"},
		{[]string{"map", "mobilenet-v2"}, "", "pimflow: interrupted"},
		{[]string{"compare", "mobilenet-v2"}, "", "pimflow: interrupted"},
	} {
		var out, stderr bytes.Buffer
		if code := command(newLooked(t.Context(), reading.looks.Load()+1), c.args, &out, &stderr); code != 130 {
			t.Errorf("%v: exit code %d", c.args, code)
		}
		if !strings.Contains(out.String(), c.out) || c.out == "" && out.Len() > 0 || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%v: %s%s", c.args, &out, &stderr)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Error("the plan so far is not written: ", err)
	}
}

// looked is a context that counts how often it is asked whether it has ended, and ends at one of these.
type looked struct {
	context.Context
	end   context.CancelFunc
	ends  int64
	looks atomic.Int64
}

func newLooked(parent context.Context, ends int64) *looked {
	ctx, end := context.WithCancel(parent)
	return &looked{Context: ctx, end: end, ends: ends}
}

func (l *looked) Err() error {
	if l.looks.Add(1) == l.ends {
		l.end()
	}
	return l.Context.Err()
}

// TestTextFlags: an empty text is refused for each flag that takes one.
func TestTextFlags(t *testing.T) {
	flag := regexp.MustCompile(`--(\S+) string`)
	var found []string
	for _, c := range rootCommand().Commands() {
		for _, m := range flag.FindAllStringSubmatch(c.Flags().FlagUsages(), -1) {
			found = append(found, m[1])
		}
	}
	slices.Sort(found)
	if d := cmp.Diff(slices.Sorted(maps.Keys(textFlags)), slices.Compact(found)); d != "" {
		t.Errorf("textFlags and the commands' flags differ (-textFlags +commands):\n%s", d)
	}
}
