package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mostTouched is how many files a new DRAM standard may touch.
const mostTouched = 5

// TestWhatIf: the files that docs/what-if.md says a new standard touches are those of the tree that name it, and its
// listings are the files.
func TestWhatIf(t *testing.T) {
	const root, page = "../../", "docs/what-if.md"
	text, err := os.ReadFile(root + page)
	if err != nil {
		t.Fatal(err)
	}
	var said, named []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllSubmatch(text, -1) {
		said = append(said, string(row[1]))
	}
	about := regexp.MustCompile(`aim-split|aimSplit|AimSplit`)
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch name := filepath.ToSlash(strings.TrimPrefix(path, filepath.Clean(root)+string(filepath.Separator))); {
		case err != nil:
			return err
		case d.IsDir() && (name == ".git" || name == "tools"): // tools/mutate seeds faults in the new rules
			return filepath.SkipDir
		case !d.Type().IsRegular() || !slices.Contains([]string{".go", ".json", ".md", ".txtar", ".txt"}, filepath.Ext(name)):
		case name == page || name == "CHANGELOG.md" || name == "cmd/pimflow/whatif_test.go":
		default:
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if about.Match(data) {
				named = append(named, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(said)
	slices.Sort(named)
	if diff := cmp.Diff(named, said); diff != "" || len(said) > mostTouched {
		t.Errorf("%s names %d files, at most %d wanted; the tree's: %s", page, len(said), mostTouched, diff)
	}
	listings := regexp.MustCompile("(?ms)`([^`\n]+)`:\n\n```(?:go|json)\n(.*?)^```$").FindAllSubmatch(text, -1)
	for _, l := range listings {
		data, err := os.ReadFile(root + string(l[1]))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(data), string(l[2])); diff != "" {
			t.Errorf("%s lists %s otherwise: %s", page, l[1], diff)
		}
	}
	if len(listings) != 3 {
		t.Errorf("%d listings", len(listings))
	}
}
