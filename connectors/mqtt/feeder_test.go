package mqtt

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// feeder is a server of MQTT 5 that has messages without end for whoever connects, as fast as they are acknowledged. It keeps no session, and costs
// little, so that a benchmark measures the source.
type feeder struct {
	net.Listener
	qos    byte
	window int      // most messages that are not acknowledged
	bodies [][]byte // PUBLISH packets behind the first byte and the length, with room for the packet id at idAt
	idAt   []int
}

// newFeeder sends the payloads in turn, to a hundred topics.
func newFeeder(t testing.TB, qos byte, window int, payloads ...string) *feeder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f := &feeder{Listener: l, qos: qos, window: window}
	for i := range 100 {
		topic := fmt.Sprintf("plant/line-%02d/temperature", i)
		b := append(binary.BigEndian.AppendUint16(nil, uint16(len(topic))), topic...)
		f.idAt = append(f.idAt, len(b))
		if qos > 0 {
			b = append(b, 0, 0)
		}
		f.bodies = append(f.bodies, append(append(b, 0), payloads[i%len(payloads)]...))
	}
	go f.accept()
	t.Cleanup(func() { _ = l.Close() })
	return f
}

func (f *feeder) props(more config.Props) config.Props {
	return config.Props{
		"uris": "mqtt://" + f.Addr().String(), "topics": "plant/#", "kafka.topic": "k", "qos": string('0' + rune(f.qos)),
		"protocol": "5", "task.client.id": "c", "task.filters": `["plant/#"]`,
	}.Merge(more)
}

func (f *feeder) accept() {
	for {
		c, err := f.Accept()
		if err != nil {
			return
		}
		go f.serve(c)
	}
}

func (f *feeder) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	r, w := bufio.NewReaderSize(c, 64<<10), bufio.NewWriterSize(c, 64<<10)
	free, released := make(chan int, 1<<16), make(chan uint16, 1<<16)
	for {
		first, length, err := readHeader(r)
		if err != nil {
			return
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		switch first >> 4 {
		case 1: // CONNECT
			_, err = c.Write([]byte{typeConnack << 4, 3, 0, 0, 0})
		case 8: // SUBSCRIBE
			if _, err = c.Write([]byte{typeSuback << 4, 4, body[0], body[1], 0, f.qos}); err == nil {
				go f.pour(w, free, released)
				f.hear(r, free, released)
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pour sends messages, and PUBREL for those of QoS 2.
func (f *feeder) pour(w *bufio.Writer, free <-chan int, released <-chan uint16) {
	room, id, n := f.window, uint16(0), 0
	for {
		for f.qos == 0 || room > 0 {
			if id++; id == 0 {
				id = 1
			}
			body := f.bodies[n%len(f.bodies)]
			if f.qos > 0 {
				binary.BigEndian.PutUint16(body[f.idAt[n%len(f.bodies)]:], id)
			}
			n++
			room--
			_ = w.WriteByte(typePublish<<4 | f.qos<<1)
			_ = w.WriteByte(byte(len(body)&0x7f | 0x80))
			_ = w.WriteByte(byte(len(body) >> 7))
			if _, err := w.Write(body); err != nil {
				return
			}
			if f.qos == 2 && len(released) > 1000 {
				break
			}
		}
		for range len(released) {
			b := short(0x62, <-released)
			_, _ = w.Write(b[:])
		}
		if w.Flush() != nil {
			return
		}
		select {
		case got, ok := <-free:
			if room += got; !ok {
				return
			}
		case id := <-released:
			b := short(0x62, id)
			_, _ = w.Write(b[:])
		}
	}
}

// hear reads acknowledgements.
func (f *feeder) hear(r *bufio.Reader, free chan<- int, released chan<- uint16) {
	defer close(free)
	var b [4]byte
	for {
		first, length, err := readHeader(r)
		if err != nil || length > 4 {
			return
		}
		if _, err := io.ReadFull(r, b[:length]); err != nil {
			return
		}
		switch first >> 4 {
		case 4, 7: // PUBACK, PUBCOMP
			free <- 1
		case 5: // PUBREC
			released <- binary.BigEndian.Uint16(b[:])
		case 14: // DISCONNECT
			return
		}
	}
}

// A hundred thousand messages in flight take what they are long, and a bounded part beside that.
func TestMemory(t *testing.T) {
	const n, size = 100_000, 400
	f := newFeeder(t, 0, 0, string(bytes.Repeat([]byte("x"), size)))
	task, err := Plugins()[0].NewSourceTask(f.props(config.Props{"max.in.flight.messages": "100000", "max.in.flight.bytes": "1073741824", "headers": "false", "record.key": ""}))
	require.NoError(t, err)
	require.NoError(t, task.Start(t.Context(), &connecttest.SourceContext{}))
	before := heap()
	var held []connect.SourceRecord
	for len(held) < n {
		records, err := task.Poll(t.Context())
		require.NoError(t, err)
		held = append(held, records...)
	}
	grown := heap() - before
	t.Logf("%d messages of %d bytes in flight: %d MiB, %d bytes a message beside its payload", n, size, grown>>20, grown/n-size)
	assert.Less(t, grown, int64(n*(size+600)))
	assert.Len(t, held, n, "no more than max.in.flight.messages")
	require.NoError(t, task.Stop(t.Context()))
	runtime.KeepAlive(held)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
