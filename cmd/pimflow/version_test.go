package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pimflow/internal/report"
)

// TestVersion: every JSON says what made it.
func TestVersion(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("t.pim", []byte("READRES\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("t.aim", []byte("AiM EOC\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"run toy --machine toy --launches=false -o toy.plan --trace toy.json", "compare toy --machine toy --policy gpu", "explain toy --machine toy",
		"map toy --machine toy --policy newton++", "diff toy.plan toy.plan", "layer --in 16x8x8 --out-channels 16", "sim t.pim", "sim t.aim --machine aim",
		"validate --gpu v100", "calibrate --eval t4_networks", "launches toy --machine toy --policy newton++",
		"sensitivity toy --machine toy --policy newton++ --quick --only link", "reproduce toy", "reproduce toy --view paper", "reproduce toy --view ratios",
		"reproduce toy --view mechanisms",
	} {
		var out, stderr bytes.Buffer
		if code := command(t.Context(), append(strings.Fields(line), "--json"), &out, &stderr); code != 0 {
			t.Errorf("%s: exit code %d: %s", line, code, &stderr)
			continue
		}
		var got struct{ Version string }
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Version != report.Version() || !strings.HasPrefix(out.String(), "{\n \"version\": ") {
			t.Errorf("%s: version %q, %v", line, got.Version, err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(".", "toy.json")); err != nil || !json.Valid(text) || !strings.Contains(string(text), report.Version()) {
		t.Errorf("the trace: %v\n%.200s", err, text)
	}
	wanted := regexp.MustCompile(`^commit   \S+\ngo       go1\.\S+\n(machine  \S+ +sha256 [0-9a-f]{64}\n){3,}(gpu      \S+ +sha256 [0-9a-f]{64}\n){3,}$`)
	for _, line := range []string{"version", "--version"} {
		var out, stderr bytes.Buffer
		if code := command(t.Context(), []string{line}, &out, &stderr); code != 0 || !wanted.MatchString(out.String()) {
			t.Errorf("%s: exit code %d: %s%s", line, code, &out, &stderr)
		}
	}
}
