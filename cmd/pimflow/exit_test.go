package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExitCodes: one code a kind of error, and one line of text.
func TestExitCodes(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"broken.onnx": "no model", "broken.graph": "graph \"g\"\n%0", "broken.json": "{", "broken.csv": "a,b\n", "broken.pim": "NOP\n",
		"base.json":  `{"base": "newtom", "name": "x"}`,
		"policy.run": `{"schema": "pimflow.run/0"}`,
		"big.graph":  "graph \"big\"\n%0 \"x\" = input float32 1x99999x99999x1\n%1 \"y\" = Relu(%0)\noutput \"y\" = %1\n",
		"all.graph":  "graph \"all\"\n%0 \"x\" = input float32 1x2x3x3\n%1 \"y\" = Relu(%0)\noutput \"y\" = %1\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		code int
		line string
	}{
		{0, ""}, {0, "help"}, {0, "zoo"}, {0, "run --help"}, {0, "run all.graph --machine toy"},

		{1, "code toy stem.pool --device pim --machine artifact"},
		{1, "run toy --machine toy --policy newton++ --set memory.pim_channels=4"}, // no channel is the GPU's, which pools

		{0, "help run"}, {2, "help nothing"}, {2, "help run toy"}, {2, "nothing"}, {2, "run"}, {2, "run toy toy"}, {2, "run toy --nothing"}, {2, "run toy --batch x"}, {2, "run toy --batch 0"},
		{2, "run nothing"}, {2, "run toy --machine nothing"}, {2, "run toy --gpu nothing"}, {2, "run toy --policy nothing"},
		{2, "run toy --objective nothing"}, {2, "run toy --set nothing=1"}, {2, "run toy --set gpu.sm=x"}, {2, "run toy --batch 99999999"},
		{2, "run toy --pim-channels nothing"}, {2, "run all.graph --batch 2"}, {2, "explain toy nothing --machine toy"},
		{2, "code toy nothing"}, {2, "code toy stem.conv --box nothing"}, {2, "code toy stem.conv --device nothing"}, {2, "zoo nothing -o x"},
		{2, "layer"}, {2, "layer --in 1x1x1 --out-channels 0"}, {2, "sim"}, {2, "calibrate"}, {2, "reproduce toy --machine newton"},
		{2, "run all.graph --machine toy -o all.graph"}, {2, "run toy --machine toy --input nothing=x"}, {2, "run toy --exact --policy gpu"},
		{2, "calibrate --data broken.csv -o ./broken.csv"},
		{2, "compare toy nothing --policy gpu"}, {2, "compare toy toy"}, {2, "compare all.graph ./all.graph"}, {3, "compare toy broken.onnx --policy gpu"},
		{3, "compare toy nothing.onnx --policy gpu"},

		{3, "run nothing.onnx"}, {3, "run broken.onnx"}, {3, "run broken.graph"}, {3, "run toy --machine broken.json"}, {3, "machine base.json"},
		{3, "run toy --gpu broken.json"}, {3, "run toy --gpu-profile broken.csv"}, {3, "run toy --plan broken.graph"}, {3, "sim broken.pim"},
		{3, "layer --csv broken.csv"}, {3, "calibrate --data broken.csv"}, {3, "diff policy.run policy.run"}, {3, "run toy --machine toy -o no/x"},
		{3, "run toy --machine toy --output broken.csv"}, {3, "run big.graph --machine toy --policy gpu --check"},
	} {
		var out, stderr bytes.Buffer
		code := command(t.Context(), strings.Fields(c.line), &out, &stderr)
		if code != c.code || (code != 0) != (strings.Count(stderr.String(), "\n") == 1) {
			t.Errorf("%s: exit code %d: %d wanted: %s", c.line, code, c.code, &stderr)
		}
	}
}

// TestCompareCode: of several errors the largest exit code counts, and the table is printed.
func TestCompareCode(t *testing.T) {
	for _, models := range []string{"nothing no.onnx", "no.onnx nothing"} {
		var out, stderr bytes.Buffer
		code := command(t.Context(), strings.Fields("compare --policy gpu toy "+models), &out, &stderr)
		if code != exitInput || strings.Count(stderr.String(), "\n") != 2 || !strings.Contains(out.String(), "\ntoy ") {
			t.Errorf("%s: exit code %d: %s%s", models, code, &out, &stderr)
		}
	}
}

// TestReportDespiteFiles: the report is printed whatever happens to files.
func TestReportDespiteFiles(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no device is full: ", err)
	}
	plan := filepath.Join(t.TempDir(), "toy.plan")
	var out, stderr bytes.Buffer
	code := command(t.Context(), []string{"run", "toy", "--machine", "toy", "--trace", "/dev/full", "-o", plan}, &out, &stderr)
	if code != exitInput || !strings.HasPrefix(out.String(), "toy on toy: ") || !strings.Contains(stderr.String(), "no space left") {
		t.Errorf("exit code %d: %s%s", code, &out, &stderr)
	}
	if _, err := os.Stat(plan); err != nil {
		t.Error(err)
	}
}
