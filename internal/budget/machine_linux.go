package budget

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// machine is the memory that the process may have, in bytes: that of the machine, of its control group (cgroup v2), or of its
// limit of addresses, whichever is least.
func machine() int64 {
	least := int64(unknown)
	if kb, ok := total(); ok {
		least = kb << 10
	}
	if b, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil { // not "max"
			least = min(least, n)
		}
	}
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_AS, &limit) == nil && limit.Cur < uint64(least) {
		least = int64(limit.Cur)
	}
	return least
}

// total is the machine's memory in KiB.
func total() (kb int64, ok bool) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if w := strings.Fields(s.Text()); len(w) > 1 && w[0] == "MemTotal:" {
			kb, err = strconv.ParseInt(w[1], 10, 64)
			return kb, err == nil
		}
	}
	return 0, false
}
