// Package ortcheck holds the meaning that pimflow gives to ONNX models against
// ONNX Runtime's: single operators with random attributes and shapes, the
// networks of the zoo, and any files named with -files.
//
// Beside these tests it only finds the library, for the program that measures with it
// (pimflow-onnxruntime). It is a module of its own: the runtime's binding needs cgo,
// which pimflow does not.
package ortcheck

import (
	"errors"
	"os"
	"path/filepath"
)

// Library finds ONNX Runtime's shared library where fetch.sh puts it.
func Library() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	const pattern = "pimflow/sherpa-onnx-linux-x64-*/libonnxruntime.so"
	found, err := filepath.Glob(filepath.Join(cache, pattern))
	if err == nil && len(found) == 0 {
		err = errors.New("no ONNX Runtime is in " + filepath.Join(cache, pattern))
	}
	if err != nil {
		return "", err
	}
	return found[len(found)-1], nil
}
