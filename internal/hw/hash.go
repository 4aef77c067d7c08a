package hw

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"strings"
)

// Hash is the SHA-256 of a built-in file.
type Hash struct {
	Name   string // of the machine or the GPU
	SHA256 string // hexadecimal
}

// Hashes returns those of the built-in machines and GPUs.
func Hashes() (ofMachines, ofGPUs []Hash) {
	return hashesOf(machines, "machines"), hashesOf(boards, "gpus")
}

func hashesOf(builtIn embed.FS, folder string) (list []Hash) {
	for _, name := range namesIn(builtIn, folder) {
		_, data, err := find(builtIn, folder, "", name)
		if err != nil {
			panic("hw: " + err.Error())
		}
		sum := sha256.Sum256(data)
		list = append(list, Hash{name, hex.EncodeToString(sum[:])})
	}
	return list
}

// HashOf returns one hash of several.
func HashOf(lists ...[]Hash) string {
	var b strings.Builder
	for _, list := range lists {
		for _, h := range list {
			b.WriteString(h.Name + " " + h.SHA256 + "\n")
		}
		b.WriteString("\n")
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}
