package files

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// Stdin is the name that people give the standard input.
const Stdin = "-"

// kept is the standard input where a command needs it as a file: one that is read again, from any place, and whose name says what it is.
var kept struct {
	mu         sync.Mutex
	name, path string // "" for none
}

// The most bytes of a standard input that is kept: of ONNX's protocol buffers, which have less, and of text. Estimated.
const (
	mostModel = 2 << 30
	mostText  = 1 << 30
)

// magic are the first bytes of files, with the endings of their names; texts are those of texts, after a byte order mark.
var magic = []struct{ begin, ending string }{{"\x93NUMPY", ".npy"}, {"\x89PNG", ".png"}, {"\xff\xd8\xff", ".jpg"}, {"GIF8", ".gif"}, {"PAR1", ".parquet"}}

var texts = []struct {
	begin  *regexp.Regexp
	ending string
}{
	{regexp.MustCompile(`^\s*\{"schema": ?"pimflow\.point/`), ".jsonl"},
	{regexp.MustCompile(`^\s*[[{]`), ".json"},
	{regexp.MustCompile(`^graph "`), ".graph"},
	{regexp.MustCompile(`^plan "`), ".plan"},
}

// Keep reads a standard input to its end and keeps it as a file, by the name that is returned: stdin and the ending of what it is. The
// ending is other for a text that is of no kind that is known by its beginning. Drop removes the file.
func Keep(in io.Reader, other string) (name string, err error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(in, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", fmt.Errorf("standard input: %w", err)
	}
	head = head[:n]
	if n == 0 {
		return "", fmt.Errorf("standard input: empty: a file wanted")
	}
	ending, most := endingOf(head, other), int64(mostText)
	if ending == ".onnx" {
		most = mostModel
	}
	folder, err := os.MkdirTemp("", "pimflow-stdin-")
	if err != nil {
		return "", err
	}
	kept.mu.Lock()
	defer kept.mu.Unlock()
	kept.name, kept.path = "stdin"+ending, filepath.Join(folder, "stdin"+ending)
	f, err := os.Create(kept.path)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, &bounded{io.MultiReader(bytes.NewReader(head), in), most, most})
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return "", fmt.Errorf("standard input: %w", err)
	}
	return kept.name, nil
}

// endingOf is the ending of the name of a file that begins so.
func endingOf(head []byte, other string) string {
	for _, k := range magic {
		if bytes.HasPrefix(head, []byte(k.begin)) {
			return k.ending
		}
	}
	text := bytes.TrimPrefix(head, []byte(mark))
	for _, k := range texts {
		if k.begin.Match(text) {
			return k.ending
		}
	}
	if bytes.IndexByte(head, 0) >= 0 || len(head) > 0 && head[0] == 8 { // the first field of an ONNX model is a number
		return ".onnx"
	}
	return other
}

// At is where the file of a name is: that of a standard input that is kept, else the name.
func At(name string) string {
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.path != "" && strings.TrimPrefix(name, "./") == kept.name {
		return kept.path
	}
	return name
}

// Drop removes what is kept of the standard input.
func Drop() {
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.path != "" {
		os.RemoveAll(filepath.Dir(kept.path)) // a temporary file, nobody reads it any more
	}
	kept.name, kept.path = "", ""
}
