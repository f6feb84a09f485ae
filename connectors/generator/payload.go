package generator

import (
	"encoding/binary"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// stride is how far into the noise the value of a record begins behind that of the record before: odd, so that neighbours differ.
const stride = 61

// spread is the number of values that differ. The noise is that much longer than a value, in each task.
const spread = 32 << 10

// payloads makes values of random bytes. They are windows onto one piece of noise, so making them costs nothing.
type payloads struct {
	size  int
	noise []byte
}

func newPayloads(size int) *payloads {
	noise := make([]byte, 0, size+spread+8)
	for n := uint64(0); len(noise) < size+spread; n++ {
		noise = binary.LittleEndian.AppendUint64(noise, mix(n))
	}
	return &payloads{size: size, noise: noise[:size+spread]}
}

func (p *payloads) fill(batch []connect.SourceRecord, first int64) {
	for i := range batch {
		at := int(uint64(first+int64(i)) * stride % spread)
		b := p.noise[at : at+p.size : at+p.size]
		batch[i].Value = connect.Datum{Schema: data.BytesSchema, Value: data.Bytes(b)}
	}
}

// mix returns a number that looks random, the same one for the same n (the finaliser of SplitMix64).
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
