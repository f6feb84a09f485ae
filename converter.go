package connect

import "context"

// A RawHeader is a record header as it is on the wire. A nil Value is null,
// which is not the same as empty.
type RawHeader struct {
	Key   string
	Value []byte
}

// A Wire is what a converter may know of the message that it encodes or
// decodes. A converter may append to Headers while encoding.
type Wire struct {
	Topic   string
	Headers []RawHeader
}

// A Converter translates between data and the bytes of a record's key or value.
//
// AppendEncode appends to dst, so that a batch shares one buffer. It says null
// for a Kafka null (dst is then returned as it came); no bytes and null=false
// is an empty value, which is no tombstone.
//
// Decode reads b; nil is Kafka's null. The result may alias b, which nobody
// changes any more. Equal schema bytes give the same *data.Schema.
//
// A converter is used by one goroutine at a time. One that also implements
// io.Closer is closed when its task stops.
type Converter interface {
	AppendEncode(ctx context.Context, dst []byte, w *Wire, d Datum) (out []byte, null bool, err error)
	Decode(ctx context.Context, w *Wire, b []byte) (Datum, error)
}

// A HeaderConverter translates between data and the bytes of one header. The
// rules of Converter hold for it.
type HeaderConverter interface {
	// AppendEncodeHeader appends the bytes of a header's value, or says null.
	AppendEncodeHeader(dst []byte, topic, key string, d Datum) (out []byte, null bool, err error)
	// DecodeHeader reads them; nil is Kafka's null.
	DecodeHeader(topic, key string, b []byte) (Datum, error)
}
