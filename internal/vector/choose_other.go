//go:build !amd64

package vector

func available() []*instructions { return nil }
