package main

import "pimflow/internal/result"

// keyWords is what keys mean whose field has no comment, because its name says it to who reads the source: by the type and the key,
// or by the key alone.
var keyWords = map[string]string{
	"schema": "name and version of this form", "version": "of the program", "model": "name of the network", "machine": "name of the machine",
	"policy": "name of the policy", "batch": "images at once", "layer": "name of the layer", "gpu": "name of the GPU", "file": "name of the file",
	"clock_ps": "period of the clock", "why": "the reason", "pim_channels": "channels that compute", "note": "for people", "name": "name",
	"ns": "time", "ck": "time in cycles of the device's clock", "cycles": "time", "refreshes": "number of refreshes", "issued": "commands, by name",
	"bound": "what limits the time", "bytes": "bytes", "macs": "multiply-accumulates", "device": "gpu or pim", "box": "range in each dimension of the layer's value",
	"start_ns": "begin", "end_ns": "end", "total_ns": "time of the plan", "baseline_ns": "time of the GPU alone", "speedup": "time of the GPU alone over that of the plan",
	"gpu_busy_ns": "time in which the GPU works", "pim_busy_ns": "time in which the PIM works", "images_per_s": "images a second, runs back to back",
	"baseline_images_per_s": "the same of the GPU alone", "period_ns": "time from the end of a run to the end of the next, back to back", "baseline_period_ns": "the same of the GPU alone",
	"network": "name of the network", "channels": "number of channels", "channel": "number of the channel", "warnings": "what the model's file says, and its nodes contradict",
	"baseline_pj": "energy of the GPU alone", "total_pj": "energy of the plan", "baseline_w": "mean power of the GPU alone", "total_w": "mean power of the plan",
	"baseline_gflops_per_w": "efficiency of the GPU alone", "total_gflops_per_w": "efficiency of the plan", "measured_on": "the GPU that the kernels were measured on",
	"rule": "name of the rule", "op": "ONNX operator", "operator": "ONNX operator", "shape": "extents of the value", "tiles": "tiles: device and range in each dimension",
	"sha256": "hash of the file", "commands_total": "number of commands", "standard": "pim.standard of the machine", "dtype": "fp16 or int8", "source": "where it is from",
	"gwrite_gap_ck": "cycles that a GWRITE holds the next GWRITE or G_ACT", "conv_baseline_ck": "convolutions of the GPU alone, in cycles of its clock",
	"conv_only": "speed-up of the convolutions", "baseline_ck": "the whole network on the GPU alone, in cycles of its clock", "end_to_end": "speed-up of the whole network",
	"conv_total_ck": "convolutions of the plan", "total_ck": "the whole network by the plan", "measure": "name of the measure", "mape": "mean absolute error", "bias": "mean error",
	"spearman": "rank correlation", "n": "number of rows", "about": "for people", "gpu_ps": "of the GPU's clock", "pim_ps": "of the PIM's clock",

	".ok": "nothing is wrong", ".streams": "command streams replayed", ".commands": "their commands", ".kind": "gpu, pim, split or pipe",

	"Memory.pins_per_channel": "data pins of a channel", "GPU.clock_ps": "period of the GPU's clock", "PIM.clock_ps": "period of the PIM's clock", "GPU.sm": "streaming multiprocessors",
	"GPU.tensor_int8_mac_per_ck_sm": "the same of 8-bit integers", "GPU.fma_per_ck_sm": "fused multiply-adds of fp32 a clock and SM", "GPU.smem_per_sm_bytes": "shared memory of an SM",
	"GPU.threads_per_sm": "threads that an SM holds", "GPU.cta_per_sm": "CTAs that an SM holds", "GPU.registers_per_sm": "registers of 32 bits of an SM", "GPU.l2_bytes_per_ck_sm": "bytes between an SM and the L2 a clock",
	"GPU.l2_write_through": "what is written to the L2 is written to the DRAM", "GPUEnergy.tensor_mac_pj": "of a multiply-accumulate of the tensor cores", "GPUEnergy.fma_pj": "of a fused multiply-add",
	"GPUEnergy.l2_pj_per_byte": "of a byte through the L2", "GPUEnergy.dram_pj_per_byte": "of a byte of the GPU's memory", "GPUError.conv": "convolutions", "GPUError.dwconv": "depthwise convolutions", "GPUError.gemm": "matrix products",
	"GPUError.gemv": "products with a vector", "PIM.rows_per_bank": "rows of a bank", "PIMEnergy.mac_pj": "of a multiply-accumulate", "PIMEnergy.io_pj_per_bit": "of a bit over the pins", "Finish.ps_per_op": "time of an operation of a unit", "Finish.pj_per_op": "energy of an operation",

	"Announcement.objectives": "columns of the rows that are told", "Axis.name": "name of the axis", "Axis.values": "values, numbers or texts",
	"Cost.dilation": "dilation", "Cost.groups": "groups of channels", "Cost.gw": "the published generator's largest number of groups of channels with inputs of their own",
	"Cost.kernel": "height and width of the kernel", "Cost.latency_hiding": "writes hide behind other commands", "Cost.n_channel": "PIM channels", "Cost.pad": "padding at the top and bottom, left and right",
	"Cost.stride": "stride", "GPU.kernels": "kernels, by name", "Channel.commands": "of the file", "Channel.last_cycle_without_refresh": "the same without refreshes",
	"Manifest.format": "pimflow, aim or csv", "Manifest.timed": "commands have their cycles", "Performed.channels": "streams performed", "Performed.steps": "parts of layers performed",
	"Step.end_ps": "end in the plan", "Matrix.result": "place of the first result", "Matrix.rows": "rows of the source matrix",
	"Use.command_bus": "share of the cycles with a command", "Use.data_bus": "share of the cycles with data", "Use.mac_units": "share of the cycles with MAC units at work",
	"Binding.extent": "the extent that it has here", "Binding.input": "the input whose dimension is open", "Check.gpu_tiles": "tiles on the GPU", "Check.pim_tiles": "tiles on the PIM", "Check.ok": "nothing is wrong",
	"EnergyPart.name": "name of the part", "Evidence.compared": "values compared", "Layer.kind_if_slow": "the kind if the GPU were as slow as the bounds of its times",
	"LayerError.max_rel": "largest error, relative", "LayerError.own_max_rel": "largest error of the layer by itself, relative",
	"LayerRange.inputs": "finite inputs", "LayerRange.inputs_over": "inputs that become infinite", "LayerRange.inputs_under": "inputs that become 0",
	"LayerRange.results": "finite results", "LayerRange.results_over": "results that become infinite", "LayerRange.results_under": "results that become 0",
	"LayerRange.weights": "finite weights", "LayerRange.weights_over": "weights that become infinite", "LayerRange.weights_under": "weights that become 0",
	"OutputCheck.max_abs": "largest error", "OutputCheck.max_rel": "largest error over the largest value", "Point.energy_pj": "energy of the plan",
	"Report.baseline_gpu_ck": "the GPU alone, in cycles of its clock", "Report.total_gpu_ck": "the plan, in cycles of the GPU's clock", "Size.largest": "the extent that the plan is made with", "Size.shape_for_inputs": "the shape for the given inputs",
	"Term.name": "name of the part of a time", "Tile.ck": "time in cycles of the device's clock", "TileFault.got": "the value computed", "TileFault.wanted": "the right value",
	"Way.chosen": "it is the plan's", "Option.chosen": "it is the plan's", "Aim.column": "name of the column", "BridgeResult.step": "name of the step", "Comparison.machines": "names of the machines", "Comparison.policies": "names of the policies",
	"Diff.same_layers": "layers that are equal in both", "DiffLayer.a_ns": "sum of the times of its tiles in A", "DiffLayer.a_pj": "sum of their energies in A", "DiffLayer.a_placement": "its tiles in A",
	"DiffLayer.b_ns": "sum of the times of its tiles in B", "DiffLayer.b_pj": "sum of their energies in B", "DiffLayer.b_placement": "its tiles in B", "DiffLayer.name": "name of the layer", "DiffNumber.a": "in A", "DiffNumber.b": "in B",
	"EnergyConstant.high": "upper bound of the constant", "EnergyConstant.low": "lower bound of the constant", "EnergyConstant.name": "path of the constant", "EnergyConstant.value": "value of the constant", "EnergySensitives.ratio": "energy of the plan over that of the GPU alone",
	"LaunchRow.free_speedup": "speed-up of the same plan with launches of no time", "LaunchRow.gpu_launch_ck": "launch of a kernel", "LaunchRow.pim_launch_joint": "PIM work shares launches",
	"MechanismRow.gain_share": "share of the gain", "MechanismRow.layers": "number of layers", "MechanismRow.layers_share": "share of the layers", "MechanismRow.way": "placing, splitting or pipelining",
	"Memory.rows_by_channel": "rows in use, by channel", "Memory.rows_per_bank": "rows of a bank", "MemoryChannel.from": "its first row", "MemoryChannel.to": "the row after its last", "MemoryChannel.reserved_rows": "new rows of this step",
	"MemoryStep.weights_bytes": "weights that the step reads", "MemoryStep.written_each_run": "the weights are no constants: they are written before the step, each run",
	"Operator.becomes": "operators that it becomes", "Operator.limits": "what of it is refused", "Outcome.error": "why there is no plan", "Paper.sources": "where the published values are from",
	"PaperRow.high": "our largest value within the errors", "PaperRow.ours": "our value", "PaperRow.reason": "why ours differs", "PaperRow.source": "where the published value is from", "PaperRow.verdict": "whether they agree",
	"Parameter.parameter": "path of the number", "Parameter.value": "fitted value", "Place.gb_per_s": "bandwidth of the memory", "Place.l2_mib": "size of the L2", "Place.launch_us": "start of a kernel",
	"Published.baseline_ck": "the whole network on the GPU alone, as published", "Published.conv_baseline_ck": "convolutions of the GPU alone, as published", "Published.conv_only": "speed-up of the convolutions, by policy", "Published.end_to_end": "speed-up of the whole network, by policy",
	"RatiosRow.layers": "number of layers for each tenth of the GPU's share, from 0 to 10", "Sensitivity.layers": "number of layers",
	"SetScore.cross_validated_mape": "mean absolute error, each shape left out of the fit", "SetScore.cross_validated_spearman": "rank correlation, each shape left out of the fit", "SetScore.fitted": "it was fitted to",
	"SetScore.left_out": "rows left out", "SetScore.roofline_mape": "mean absolute error of a roofline", "SetScore.roofline_spearman": "rank correlation of a roofline", "SetScore.set": "name of the set",
	"Sweep.name": "name of the view", "Sweep.settings": "values of the number", "SweepRow.values": "a value for each setting", "ValidationRow.inside": "the measurement is inside the modelled interval", "ValidationRow.kernels": "kernels",
	"ValidationRow.measured_us": "measured time", "ValidationRow.modelled_us": "modelled time", "ValidationScore.group": "name of the group", "ValidationScore.inside": "measurements inside the modelled interval", "Energy.pj": "energy of the part",
	"Audit.commands": "number of commands", "Audit.files": "names of the files", "Audit.violations": "number of violations", "Breach.by_ck": "cycles by which it is too early or too late", "Breach.cycle": "cycle of the command", "Breach.text": "the violation in words",
	"Energy.comp": "COMP commands", "Energy.gwrite": "GWRITE commands", "Energy.prea": "activations and precharges", "Energy.readres": "READRES commands", "Energy.total": "all",
	"Host.active_cycles_sum": "cycles with an open row, summed over the channels", "Host.idle_cycles_sum": "cycles without a command, summed over the channels", "Host.precharged_cycles_sum": "cycles without an open row, summed over the channels", "Host.instructions": "number of instructions",
	"Refreshes.issued": "refreshes of the log", "Refreshes.missing": "refreshes that are missing", "Refreshes.missing_part": "share of the log's cycles that the missing refreshes would add", "RuleCount.violations": "number of violations",
	"Stream.cycles_without_refresh": "the same without refreshes", "Stream.energy_pj_total": "energy of all parts",
	"WaitedFor.layer": "its place in `layers`", "Throughput.images": "images of a run", "Sources.model": "the model's", "ValidationRow.low_us": "lower bound of the modelled time", "ValidationRow.high_us": "upper bound of the modelled time", "Layer.gpu_high_ns": "upper bound of the whole layer's time on the GPU", "Reason.gpu_low_ns": "lower bound of the whole layer's time on the GPU", "Reason.gpu_high_ns": "upper bound of the whole layer's time on the GPU",
	"EnergyConstant.ratio_at_low": "the ratio with the constant at its lower bound", "EnergyConstant.ratio_at_high": "the ratio with the constant at its upper bound", "Lane.n": "number of channels", "Layer.bytes": "bytes moved", "Layer.flops_per_byte": "operations a byte of the GPU's memory", "Layer.plan_if_pim_ns": "time of the plan if the layer were on the PIM", "Limit.layers": "number of layers",
	"Manifest.command": "the command line", "Manifest.machine_about": "the machine, for people", "Manifest.machine_not_modelled": "what the machine has and the model leaves out",
	"Peaks.gpu_fma_gflops": "of the GPU's FMA units", "Peaks.gpu_tensor_gflops": "of the GPU's tensor cores", "Piece.gpu_l2_bytes": "bytes through the GPU's L2", "Piece.link_bytes": "bytes between the devices", "Piece.of": "extent of the axis", "Piece.pim_inner_bytes": "bytes that the banks read for their MAC units", "Piece.to": "the end of its range",
	"Power.gpu_w": "of the GPU's work, beyond standby, by interval", "Power.interval_ns": "time of an interval", "Power.pim_w": "of the PIM's work, beyond standby, by interval", "Power.standby_w": "power of standby",
	"Split.computing_ns": "computing", "Split.launch_ns": "launches", "Split.moving_ns": "moving data", "Stall.shared_ns": "the same, an instant in which both devices work shared equally", "Use.column_reads": "column reads", "Use.row_activations": "row activations",
	"Use.pim_channels_busy_least": "that of the channel that works least", "Use.pim_channels_busy_most": "that of the channel that works most",
}

// Columns of rows have their words in the table of columns.
func init() {
	for _, c := range result.Columns() {
		keyWords["Row."+c.Name] = c.Doc
	}
}
