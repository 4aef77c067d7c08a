package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"time"
)

// entry is a file of an archive.
type entry struct {
	name string
	data []byte
	mode os.FileMode
}

// archive writes the binary and the texts, in a folder of a name: for Windows a .zip, else a .tar.gz.
func (b built) archive(file, folder string, texts []entry, made time.Time) error {
	data, err := os.ReadFile(b.file)
	if err != nil {
		return err
	}
	list := []entry{{filepath.Base(b.file), data, 0o755}}
	for _, t := range texts {
		list = append(list, entry{t.name, t.data, t.mode})
	}
	for i := range list {
		list[i].name = folder + "/" + list[i].name
	}
	pack, end := tarred, ".tar.gz"
	if b.os == "windows" {
		pack, end = zipped, ".zip"
	}
	text, err := pack(list, made)
	if err != nil {
		return err
	}
	return os.WriteFile(file+end, text, 0o644)
}

// tarred returns files of a time as a .tar.gz.
func tarred(list []entry, made time.Time) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(z)
	for _, e := range list {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: e.name, Size: int64(len(e.data)), Mode: int64(e.mode), ModTime: made, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// zipped returns files of a time as a .zip.
func zipped(list []entry, made time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range list {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: made}
		h.SetMode(e.mode)
		to, err := w.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := to.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
