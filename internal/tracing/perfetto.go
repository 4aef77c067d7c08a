package tracing

import (
	"bufio"
	"io"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"pimflow/internal/device"
)

// The field numbers of Perfetto's messages. Source: protos/perfetto/trace of github.com/google/perfetto: trace.proto,
// trace_packet.proto, track_event/track_descriptor.proto, process_descriptor.proto, thread_descriptor.proto, counter_descriptor.proto,
// track_event.proto and debug_annotation.proto.
const (
	tracePacket = 1

	packetTimestamp  = 8
	packetSequence   = 10
	packetEvent      = 11
	packetDescriptor = 60

	descriptorUUID    = 1
	descriptorName    = 2
	descriptorProcess = 3
	descriptorParent  = 5
	descriptorCounter = 8

	processPID  = 1
	processName = 6

	counterUnitName = 6

	eventAnnotation = 4
	eventType       = 9
	eventTrack      = 11
	eventName       = 23
	eventDouble     = 44
	eventFlow       = 47
	eventFlowEnd    = 48

	annotationInt    = 4
	annotationDouble = 5
	annotationString = 6
	annotationName   = 10

	typeBegin   = 1
	typeEnd     = 2
	typeCounter = 4

	sequence = 1 // of packets: there is one writer
)

// message is a protocol buffer that is being written.
type message []byte

func (m *message) uint(field protowire.Number, v uint64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), v)
}

func (m *message) double(field protowire.Number, v float64) {
	*m = protowire.AppendFixed64(protowire.AppendTag(*m, field, protowire.Fixed64Type), math.Float64bits(v))
}

func (m *message) fixed(field protowire.Number, v uint64) {
	*m = protowire.AppendFixed64(protowire.AppendTag(*m, field, protowire.Fixed64Type), v)
}

func (m *message) text(field protowire.Number, v string) {
	*m = protowire.AppendString(protowire.AppendTag(*m, field, protowire.BytesType), v)
}

func (m *message) sub(field protowire.Number, v message) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), v)
}

// Perfetto writes the trace as protocol buffers of Perfetto, times in whole ns.
func (t *Trace) Perfetto(w io.Writer) error {
	b := bufio.NewWriter(w)
	packet := func(fill func(p *message)) {
		var p, all message
		fill(&p)
		p.uint(packetSequence, sequence)
		all.sub(tracePacket, p)
		b.Write(all) // an error comes back from Flush
	}
	descriptor := func(d message) { packet(func(p *message) { p.sub(packetDescriptor, d) }) }
	groups := t.groups()
	uuid := func(track int) uint64 { return uint64(len(groups) + track + 1) }
	for i, name := range groups {
		var process, d message
		process.uint(processPID, uint64(i+1))
		process.text(processName, name)
		d.uint(descriptorUUID, uint64(i+1))
		d.sub(descriptorProcess, process)
		descriptor(d)
	}
	for i, x := range t.Tracks {
		var d message
		d.uint(descriptorUUID, uuid(i))
		d.uint(descriptorParent, uint64(slices.Index(groups, x.Group)+1))
		d.text(descriptorName, x.Name)
		if x.Unit != "" {
			var c message
			c.text(counterUnitName, x.Unit)
			d.sub(descriptorCounter, c)
		}
		descriptor(d)
	}
	event := func(at device.Time, fill func(e *message)) {
		packet(func(p *message) {
			var e message
			fill(&e)
			p.uint(packetTimestamp, uint64(math.Round(at.NS())))
			p.sub(packetEvent, e)
		})
	}
	starts, ends := map[int][]uint64{}, map[int][]uint64{}
	for i, f := range t.Flows {
		starts[f.From], ends[f.To] = append(starts[f.From], uint64(i+1)), append(ends[f.To], uint64(i+1))
	}
	for _, x := range t.edges() {
		s := &t.Slices[x.slice]
		if !x.begins {
			event(s.End, func(e *message) {
				e.uint(eventType, typeEnd)
				e.uint(eventTrack, uuid(s.Track))
			})
			continue
		}
		event(s.Start, func(e *message) {
			e.uint(eventType, typeBegin)
			e.uint(eventTrack, uuid(s.Track))
			e.text(eventName, s.Name)
			for _, a := range s.Args {
				e.sub(eventAnnotation, annotation(a))
			}
			for _, id := range starts[x.slice] {
				e.fixed(eventFlow, id)
			}
			for _, id := range ends[x.slice] {
				e.fixed(eventFlowEnd, id)
			}
		})
	}
	for _, x := range t.Samples {
		event(x.At, func(e *message) {
			e.uint(eventType, typeCounter)
			e.uint(eventTrack, uuid(x.Track))
			e.double(eventDouble, x.Value)
		})
	}
	return b.Flush()
}

func annotation(a Arg) (m message) {
	m.text(annotationName, a.Name)
	switch v := a.Value.(type) {
	case int64:
		m.uint(annotationInt, uint64(v))
	case float64:
		m.double(annotationDouble, v)
	case string:
		m.text(annotationString, v)
	}
	return m
}
