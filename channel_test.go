package pimflow_test

import (
	"fmt"
	"log"
	"slices"
	"strings"
	"testing"

	"pimflow"
)

// When a command may follow another, and what an early one breaks: the rules of a DRAM standard for a simulator of one's own.
func ExampleMachine_Channel() {
	m, err := pimflow.LoadMachine("newton")
	if err != nil {
		log.Fatal(err)
	}
	c, err := m.Channel()
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"GWRITE0", "G_ACT0", "G_ACT1", "COMP0", "READRES", "PREA", "G_ACT0"} {
		cmd := pimflow.ChannelCommand{Name: name, Row: 7}
		cycle, err := c.Ready(cmd)
		if err != nil {
			log.Fatal(err)
		}
		if name == "PREA" {
			cycle -= 5
		}
		broken, err := c.Issue(cmd, cycle)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(cycle, name)
		for _, b := range broken {
			fmt.Println("    " + b.Rule + ": " + b.Text)
		}
	}
	// Output:
	// 1 GWRITE0
	// 2 G_ACT0
	// 36 G_ACT1
	// 58 COMP0
	// 60 READRES
	// 84 PREA
	//     tRAS: cycle 84: PREA 48 cycles after G_ACT0/G_ACT1/G_ACT2/G_ACT3: 53 wanted
	// 110 G_ACT0
}

// TestChannel: banks and rows count, and what is no command, bank or cycle is refused.
func TestChannel(t *testing.T) {
	m, err := pimflow.LoadMachine("aim")
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.Channel()
	if err != nil {
		t.Fatal(err)
	}
	issue := func(name string, bank, row int, cycle int64) (rules []string) {
		broken, err := c.Issue(pimflow.ChannelCommand{Name: name, Bank: bank, Row: row}, cycle)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range broken {
			rules = append(rules, b.Rule)
		}
		return rules
	}
	ready := func(name string, bank int) int64 {
		at, err := c.Ready(pimflow.ChannelCommand{Name: name, Bank: bank})
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	if at := ready("ACT", 3); at != 1 {
		t.Errorf("first in cycle %d", at)
	}
	if got := issue("ACT", 3, 9, 1); got != nil {
		t.Error(got)
	}
	same, other, far := ready("ACT", 3), ready("ACT", 2), ready("ACT", 15)
	if same <= other || other <= far {
		t.Errorf("ACT in cycles %d, %d and %d", same, other, far)
	}
	if got := issue("RD", 3, 9, ready("RD", 3)); got != nil {
		t.Error(got)
	}
	if got := issue("RD", 3, 8, ready("RD", 3)); !slices.Equal(got, []string{"row"}) {
		t.Error(got)
	}
	if got := issue("RD", 3, -1, ready("RD", 3)); got != nil {
		t.Error(got)
	}
	if got := issue("PRE", 3, -1, ready("PRE", 3)-1); !slices.Equal(got, []string{"tRTP"}) && !slices.Equal(got, []string{"tRAS"}) {
		t.Error(got)
	}
	for _, bad := range []struct {
		cmd   pimflow.ChannelCommand
		cycle int64
		want  string
	}{
		{pimflow.ChannelCommand{Name: "ACTT"}, 999, `command "ACTT" is none of standard aim (did you mean "ACT"?)`},
		{pimflow.ChannelCommand{Name: "ACT", Bank: 16}, 999, "ACT of bank 16: 0 to 15 wanted"},
		{pimflow.ChannelCommand{Name: "PREA"}, 2, "PREA in cycle 2: "},
	} {
		if _, err := c.Issue(bad.cmd, bad.cycle); err == nil || !strings.HasPrefix(err.Error(), bad.want) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	rules := c.Rules()
	if i := slices.IndexFunc(rules, func(r pimflow.ChannelRule) bool { return r.Name == "tRRDL" }); i < 0 || rules[i].Place != "group" || rules[i].Wait < 1 || rules[i].After[0] != "ACT" {
		t.Errorf("%+v", rules)
	}
}
