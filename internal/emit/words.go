package emit

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"pimflow/internal/csvtext"
	"pimflow/internal/pim/unit"
)

// wordColumns are the columns of a channel's programs: the number of a word, the word, and the instruction that it stands for.
var wordColumns = []string{"word", "code", "instruction"}

// writeWords writes the words of programs, which readWords reads.
func writeWords(to io.Writer, words []uint32) error {
	w := csv.NewWriter(to)
	w.Write(wordColumns)
	for i, word := range words {
		at, err := unit.Decode(word)
		if err != nil {
			return err
		}
		w.Write([]string{strconv.Itoa(i), fmt.Sprintf("0x%08x", word), at.String()})
	}
	w.Flush()
	return w.Error()
}

// readWords reads the words of programs. The error names the line of a word that is no instruction, or that of another.
func readWords(name string) (words []uint32, err error) {
	f, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	err = csvtext.Rows(name, f, wordColumns, func(line int, cells []string) error {
		if cells[0] != strconv.Itoa(len(words)) {
			return fmt.Errorf("%s:%d: word %.80q: %d wanted", name, line, cells[0], len(words))
		}
		word, err := strconv.ParseUint(cells[1], 0, 32)
		if err != nil || fmt.Sprintf("0x%08x", word) != cells[1] {
			return fmt.Errorf("%s:%d: code %.80q: a word as 0x20000000 wanted", name, line, cells[1])
		}
		at, err := unit.Decode(uint32(word))
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
		if cells[2] != at.String() {
			return fmt.Errorf("%s:%d: instruction %.80q: %.80q wanted, that of code %s", name, line, cells[2], at.String(), cells[1])
		}
		words = append(words, uint32(word))
		return nil
	})
	return words, err
}
