package budget_test

import (
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/budget"
)

func TestHolds(t *testing.T) {
	if err := budget.Memory(2e9).Holds(2e9, "values"); err != nil {
		t.Error(err)
	}
	err := budget.Memory(2e9).Holds(2e9+1e8, "values")
	if want := "values take 2.1 GB of memory: at most 2.0 GB wanted, or another --memory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	most := int64(budget.Default())
	if err := budget.Memory(0).Holds(most, "values"); most < 1<<20 || err != nil || budget.Memory(0).Holds(most+1, "values") == nil {
		t.Errorf("default %v: %v", budget.Default(), err)
	}
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]budget.Memory{"1B": 1, "1KB": 1000, "1kB": 1000, "2 KiB": 2048, "3MB": 3e6, "1MiB": 1 << 20, "1.5GiB": 3 << 29, "1GB": 1e9, "1TiB": 1 << 40} {
		if got, err := budget.Parse(text); got != want || err != nil {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	if _, err := budget.Parse("1iB"); err == nil {
		t.Error("1iB is read")
	}
}

func TestParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := budget.Memory(rapid.Int64Range(1, 1<<60).Draw(t, "bytes"))
		back, err := budget.Parse(m.String())
		if err != nil || back.String() != m.String() {
			t.Fatalf("%v read back as %v, %v", m, back, err)
		}
	})
	for _, text := range []string{"", "8", "GB", "-1GB", "0GB", "1e30GB", "NaNGB", "8 XB", "8gb"} {
		if m, err := budget.Parse(text); err == nil {
			t.Errorf("%q is %v", text, m)
		}
	}
}

func TestContext(t *testing.T) {
	if got := budget.Of(t.Context()); got != 0 || got.Bytes() != int64(budget.Default()) {
		t.Errorf("%v of a context without one", got)
	}
	if got := budget.Of(budget.With(t.Context(), 5)); got != 5 || got.Bytes() != 5 {
		t.Errorf("%v of 5 bytes", got)
	}
}
