//go:build !linux

package main

import "os"

func peak(*os.ProcessState) int64 { panic("memory is measured on Linux only") }
