package dram

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// linesOf reads a text to its end or to its first error.
func linesOf(text string) (lines []string, unended bool, err error) {
	in, err := TraceText("f", strings.NewReader(text))
	if err != nil {
		return nil, false, err
	}
	l := NewLines("f", in)
	for {
		line, err := l.Next()
		if err == io.EOF {
			return lines, l.Unended, nil
		}
		if err != nil {
			return lines, false, err
		}
		lines = append(lines, string(line))
	}
}

// TestLines: plain and gzip texts have the same lines; what is wrong with either is said in words.
func TestLines(t *testing.T) {
	const text = "a\n\nb c\r\nlast"
	for _, text := range []string{text, zipped(t, text)} {
		lines, unended, err := linesOf(text)
		if err != nil || strings.Join(lines, "|") != "a||b c\r|last" || !unended {
			t.Errorf("%q: %q, %v, %v", text, lines, unended, err)
		}
	}
	long := zipped(t, strings.Repeat("0123456789abcdef\n", 1000))
	damaged := []byte(long)
	damaged[len(damaged)-6] ^= 1
	for _, c := range []struct{ text, want string }{
		{long[:2], "f: the gzip file is cut off: the whole file wanted"},
		{long[:8], "f: the gzip file is cut off: the whole file wanted"},
		{long[:len(long)-9], "the gzip file is cut off: the whole file wanted"},
		{string(damaged), "f:1001: the gzip file is damaged: one as gzip writes it wanted"},
		{long[:10] + "\xff" + long[11:], "the gzip file is damaged: one as gzip writes it wanted"},
		{"\x1f\x8b\x09" + long[3:], "f: the gzip file is damaged: one as gzip writes it wanted"},
		{"a\n" + strings.Repeat("x", MaxLine+1), "f:2: a line of over 4096 bytes"},
	} {
		if _, _, err := linesOf(c.text); err == nil || !strings.HasPrefix(err.Error(), "f:") || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%v: %q wanted", err, c.want)
		}
	}
}

// TestTextBounds: neither gzip nor comments make a small file a long one.
func TestTextBounds(t *testing.T) {
	z, err := gzip.NewReader(strings.NewReader(zipped(t, "0123456789")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(&unzipped{z, 9}); err == nil || err.Error() != "more than 1099511627776 bytes of text in a gzip file: fewer wanted" {
		t.Error(err)
	}
	l := &Lines{name: "f", n: 7, silent: maxSilent - 3}
	if err := l.Silent([]byte("# ")); err != nil {
		t.Error(err)
	}
	if err := l.Silent(nil); err == nil || err.Error() != "f:7: more than 1073741824 bytes of comments and blank lines: fewer wanted" {
		t.Error(err)
	}
}
