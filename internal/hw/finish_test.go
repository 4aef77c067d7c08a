package hw

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFinishPlace: what an operation takes follows from the place, in a change and in a file with a
// base, unless the file gives it; the energy on the GPU is that of an FMA, bounds and all.
func TestFinishPlace(t *testing.T) {
	newton, err := Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	was := newton.Link.Finish
	dram, controller := 4000.0/7*2/16, 4000.0/7*2/16
	onGPU := newton.GPU.Clock.Picoseconds() / 40 / 64
	based := func(text string) (*Machine, error) {
		file := filepath.Join(t.TempDir(), "x.json")
		if err := os.WriteFile(file, []byte(`{"base": "newton", "name": "x", "link": {"finish": {`+text+`}}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		return Load(file)
	}
	set := func(keys ...string) func() (*Machine, error) {
		return func() (*Machine, error) { return newton.Set(keys...) }
	}
	const five = `, "ps_per_op": {"value": 5, "source": "mine"}`
	for name, c := range map[string]struct {
		of     func() (*Machine, error)
		where  string
		perOp  float64
		energy Range
	}{
		"controller":  {set(), InController, controller, was.Energy},
		"dram":        {set("link.finish.where=dram"), InDRAM, dram, was.Energy},
		"gpu":         {set("link.finish.where=gpu"), OnGPU, onGPU, newton.GPU.Energy.FMA},
		"gpu, and 5":  {set("link.finish.where=gpu", "link.finish.ps_per_op=5"), OnGPU, 5, newton.GPU.Energy.FMA},
		"gpu of half": {set("link.finish.where=gpu", "gpu.sm=20"), OnGPU, 2 * onGPU, newton.GPU.Energy.FMA},
		"back":        {set("link.finish.where=gpu", "link.finish.where=dram", "link.finish.pj_per_op=0.7"), InDRAM, dram, Range{0.7, 0.56, 2.1}},
		"base, dram":  {func() (*Machine, error) { return based(`"where": "dram"`) }, InDRAM, dram, was.Energy},
		"base, gpu":   {func() (*Machine, error) { return based(`"where": "gpu"`) }, OnGPU, onGPU, newton.GPU.Energy.FMA},
		"base, and 5": {func() (*Machine, error) { return based(`"where": "gpu"` + five) }, OnGPU, 5, newton.GPU.Energy.FMA},
	} {
		m, err := c.of()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f := m.Link.Finish
		if off := f.PerOp/c.perOp - 1; f.Where != c.where || off < -1e-9 || off > 1e-9 || f.Energy != c.energy {
			t.Errorf("%s: %+v: %s, %v ps, %+v wanted", name, f, c.where, c.perOp, c.energy)
		}
	}
	for text, want := range map[string]string{
		"link.finish.where=the channels' controllers": `link.finish.where: "the channels' controllers": one of dram, controller, gpu wanted`,
		"link.finish.where=gpus":                      `(did you mean "gpu"?)`,
	} {
		if _, err := newton.Set(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v: %q wanted", text, err, want)
		}
	}
	if _, err := newton.Set("link.finish.where=gpu", "link.finish.where=dram"); err == nil || !strings.Contains(err.Error(), "link.finish.pj_per_op: follows from gpu.energy.fma_pj: that of a unit wanted, since link.finish.where is dram") {
		t.Error(err)
	}
}
