package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// entry is a command, the group that help shows it in, and lines that show its use.
type entry struct {
	make     func() *cobra.Command
	examples []string
}

// group is a part of the list of commands in help, with its commands in the order a newcomer needs them.
type group struct {
	title   string
	entries []entry
}

// groups lists the commands. Examples are complete: a test parses each.
var groups = []group{
	{"Plan a network:", []entry{
		{runCommand, []string{"run mobilenet-v2", "run model.onnx --check", "run mobilenet-v2 --set memory.pim_channels=24 --gpu a100", "run mobilenet-v2 --json >run.json"}},
		{compareCommand, []string{"compare mobilenet-v2 resnet-50 --policy gpu,pimflow,auto", "compare mobilenet-v2 --batch 1,16 --csv"}},
		{explainCommand, []string{"explain mobilenet-v2", "explain mobilenet-v2 features.14.conv.2"}},
		{reportCommand, []string{"report run.json -o run.html"}},
		{diffCommand, []string{"diff before.plan after.plan", "diff before.json after.json --json"}},
		{mapCommand, []string{"map mobilenet-v2 -v"}},
		{codeCommand, []string{"code mobilenet-v2 features.14.conv.2", "code toy block.expand --device gpu"}},
		{emitCommand, []string{"emit toy -o streams", "emit mobilenet-v2 --layer features.14.conv.2 --format csv --timed -o streams", "emit mobilenet-v2 --images --input cat.jpg -o values"}},
		{graphCommand, []string{"graph model.onnx"}},
		{exportCommand, []string{"export mobilenet-v2 -o plan.onnx"}},
	}},
	{"Explore machines:", []entry{
		{sweepCommand, nil}, // has examples of its own
		{workerCommand, []string{"worker --nats nats://head:4222"}},
		{paretoCommand, []string{"pareto rows.csv", "pareto rows.csv --by speedup,energy_pj --csv"}},
		{plotCommand, []string{"plot rows.csv -o front.svg --figure pareto", "plot run.json -o run.pdf --figure timeline"}},
		{sensitivityCommand, []string{"sensitivity mobilenet-v2 --quick", "sensitivity mobilenet-v2 --only link,pim.timing"}},
		{launchesCommand, []string{"launches mobilenet-v2"}},
	}},
	{"Networks, machines and policies:", []entry{
		{zooCommand, []string{"zoo", "zoo mobilenet-v2 -o mobilenet-v2.onnx"}},
		{machineCommand, []string{"machine", "machine newton", "machine mine.json"}},
		{gpuCommand, []string{"gpu", "gpu t4"}},
		{policyCommand, []string{"policy"}},
		{operatorsCommand, []string{"operators"}},
	}},
	{"Times of the GPU:", []entry{
		{profileCommand, []string{"profile mobilenet-v2 --limit 20", "profile mobilenet-v2 --with torch -o kernels.csv"}},
		{calibrateCommand, []string{"calibrate"}},
		{validateCommand, []string{"validate", "validate --gpu t4"}},
	}},
	{"Published systems and command streams:", []entry{
		{reproduceCommand, []string{"reproduce", "reproduce mobilenet-v2 --csv"}},
		{layerCommand, []string{"layer --in 32x56x56 --out-channels 64", "layer --csv layers.csv --all"}},
		{simCommand, []string{"sim 0.pim 1.pim", "sim streams"}},
		{auditCommand, []string{"audit trace.csv --machine newton"}},
	}},
	{"This program:", []entry{
		{termsCommand, []string{"terms"}},
		{versionCommand, []string{"version"}},
	}},
}

// addCommands adds all commands, in their groups, with examples and completions.
func addCommands(root *cobra.Command) {
	cobra.EnableCommandSorting = false
	for i, g := range groups {
		id := fmt.Sprint(i)
		root.AddGroup(&cobra.Group{ID: id, Title: g.title})
		for _, e := range g.entries {
			c := e.make()
			c.GroupID = id
			if c.Example == "" {
				c.Example = "  pimflow " + strings.Join(e.examples, "\n  pimflow ")
			}
			complete(c)
			root.AddCommand(c)
		}
		if i == len(groups)-1 {
			root.SetHelpCommandGroupID(id)
			root.SetCompletionCommandGroupID(id)
		}
	}
}
