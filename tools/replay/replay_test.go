package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnnounced(t *testing.T) {
	said, err := parse("A title\n\nChanges: run, explain --machine aim\nWords: hill => neighbourhood\nWords: joint => fused\n")
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]bool{
		"run toy --machine aim":          true,
		"explain toy --machine aim":      true,
		"explain toy --machine aim2":     false,
		"explain toy --machine newton":   false,
		"runner toy":                     false,
		"compare toy --machine aim":      false,
		"explain toy x --machine aim -v": true,
	} {
		if _, ok := said.covers(line); ok != want {
			t.Errorf("%q: announced %t, want %t", line, ok, want)
		}
	}
	for _, c := range []struct {
		was, now string
		same     bool
	}{
		{"joint  1\n-----\n", "fused 1\n---- \n", true},
		{"joint 1\n", "fused 2\n", false},
		{"pim_launch_joint joint\n", "pim_launch_joint fused\n", true},
		{"disjoint\n", "disfused\n", false},
		{"one hill\n", "one neighbourhood\n", true},
		{"one hill\n", "onehill\n", false},
	} {
		if _, _, same := said.equal([]byte(c.was), []byte(c.now)); same != c.same {
			t.Errorf("%q and %q: equal %t, want %t", c.was, c.now, same, c.same)
		}
	}
	if _, err := parse("Words: joint fused"); err == nil {
		t.Error("a line Words without => was taken")
	}
}

// TestUntimed: lines that depend on the clock are not compared, others are.
func TestUntimed(t *testing.T) {
	text := "pimflow: vgg-16 auto: 100 %, 1m0s, about 0s left\npimflow: reading: 0 %, 1m0s\n \"search_s\": 3,\npimflow: 3 % wanted\n"
	if got, want := string(untimed.ReplaceAll([]byte(text), nil)), "pimflow: 3 % wanted\n"; got != want {
		t.Errorf("%q is compared, want %q", got, want)
	}
}

// TestReplay compares revisions of a repository whose pimflow is a small program.
func TestReplay(t *testing.T) {
	t.Chdir(t.TempDir())
	shell := func(args ...string) {
		t.Helper()
		if text, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, text)
		}
	}
	write := func(file, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	program := func(total string) {
		t.Helper()
		write("cmd/pimflow/main.go", `package main

import ("fmt"; "os"; "time")

func main() {
	switch os.Args[1] {
	case "machine", "zoo", "policy":
		fmt.Println("toy")
	case "graph":
		fmt.Println("%3 \"stem\" = Conv(%0)")
	case "run":
		fmt.Printf(" \"search_s\": %d,\n \"total\": `+total+`\n", time.Now().UnixNano())
	}
}
`)
	}
	write("go.mod", "module pimflow\n\ngo 1.26\n")
	write(tracked, "network\n")
	program("10")
	shell("git", "init", "-q")
	commit := func(message string) {
		t.Helper()
		shell("git", "add", ".")
		shell("git", "-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", message)
	}
	commit("first")
	shell("git", "tag", "first")
	check := func(want bool, text string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		same, err := replay(context.Background(), args, &out)
		if err != nil || same != want || !strings.Contains(out.String(), text) {
			t.Errorf("%q: same %t, error %v, want %t and %q in:\n%s", args, same, err, want, text, &out)
		}
	}
	check(true, "no difference", "first")
	program("11")
	check(false, "differs: pimflow run toy --machine toy --policy toy --json\n-  \"total\": 10\n+  \"total\": 11\n", "-j", "1", "first")
	check(false, "differ: 5 of run\n", "-a", "first")
	commit("dearer\n\nChanges: run toy --machine toy --policy")
	check(false, "differs: pimflow run toy --machine toy -v", "-j", "1", "first")
	check(true, "no difference", "HEAD~0")
	program("12")
	commit("dearest\n\nChanges: run")
	check(true, "differ as announced", "first", "HEAD")
	check(false, "differs", "HEAD~1", "first")
}
