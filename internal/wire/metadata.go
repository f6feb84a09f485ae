package wire

import "fmt"

// Metadata is what a member says of itself when it joins.
type Metadata struct {
	// Version of the layout; one offer is made for each version.
	Version Version
	// URL of the member's REST interface, with the slash at its end.
	URL string
	// ConfigOffset is the offset after the last record of the config topic that
	// the member has read; -1: none.
	ConfigOffset int64
	// Allocation is all that the member runs, as an Assignment of the version
	// it last took part in; nil before its first one. Not sent by Eager.
	Allocation *Assignment
}

// AppendBinary appends the bytes of m to dst. It fails on texts longer than
// 32767 bytes.
func (m Metadata) AppendBinary(dst []byte) ([]byte, error) {
	w := writer{b: dst}
	w.int16(int16(m.Version))
	w.string(m.URL)
	w.int64(m.ConfigOffset)
	if m.Version == Eager {
		return w.done()
	}
	if m.Allocation == nil {
		w.int32(null)
		return w.done()
	}
	allocation, err := m.Allocation.AppendBinary(nil)
	if err != nil {
		return nil, fmt.Errorf("allocation: %w", err)
	}
	w.int32(int32(len(allocation)))
	w.b = append(w.b, allocation...)
	return w.done()
}

// ParseMetadata reads what AppendBinary wrote. As in Java a missing allocation
// counts as none, layouts of later versions are read as far as they are known,
// and what follows is ignored.
func ParseMetadata(b []byte) (Metadata, error) {
	r := reader{b: b}
	m := Metadata{Version: r.version(), URL: r.string("url"), ConfigOffset: r.int64("config-offset")}
	if r.err != nil || m.Version == Eager || len(r.b) == 0 {
		return m.valid(r.err)
	}
	allocation, ok := r.bytes("allocation")
	if r.err != nil || !ok {
		return m.valid(r.err)
	}
	a, err := ParseAssignment(allocation)
	if err != nil {
		return m.valid(fmt.Errorf("allocation: %w", err))
	}
	m.Allocation = &a
	return m, nil
}

func (m Metadata) valid(err error) (Metadata, error) {
	if err != nil {
		return Metadata{}, fmt.Errorf("member metadata: %w", err)
	}
	return m, nil
}
