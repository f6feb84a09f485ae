package transforms

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// A hashFunction is one of those that Hash has.
type hashFunction string

const (
	hashMD5    hashFunction = "md5"
	hashSHA1   hashFunction = "sha1"
	hashSHA256 hashFunction = "sha256"
)

// A HashConfig configures Hash.
type HashConfig struct {
	// Field of the top level; "": the whole.
	Field string
	// SkipMissing passes records that have nothing to hash.
	SkipMissing bool

	function hashFunction
}

// Describe declares the keys of io.aiven.kafka.connect.transforms.Hash.
func (c *HashConfig) Describe(d *config.Def) {
	config.String(d, &c.Field, "field.name").Optional().Importance(config.High).Doc("Field of the top level to hash, which has to be a STRING. Without it the whole is hashed.")
	config.Bool(d, &c.SkipMissing, "skip.missing.or.null").Default(false).Doc("Whether records pass as they are whose field is missing or null. Otherwise they fail.")
	config.EnumFold(d, &c.function, "function", hashMD5, hashSHA1, hashSHA256).Importance(config.High).
		Doc("Function: md5 and sha1 are broken as far as security goes, sha256 is not. The result is text of hexadecimal digits.")
}

// hash is Hash.
type hash struct {
	side    side
	c       HashConfig
	in, out []byte // used again for each record
}

func newHash(c HashConfig, s side) (*hash, error) { return &hash{side: s, c: c}, nil }

// Apply hashes the UTF-8 of a string.
func (t *hash) Apply(_ context.Context, r *connect.Record) (bool, error) {
	d := t.side.of(r)
	place := t.side.lower()
	if t.c.Field == "" {
		v, ok, err := t.value(d.Value, place)
		if ok {
			*d = connect.Datum{Schema: d.Schema, Value: v}
		}
		return err == nil, err
	}
	row, ok := d.Value.Struct()
	if !ok {
		return t.inMap(d, place)
	}
	f, ok := row.Schema().Field(t.c.Field)
	if !ok {
		return t.missing(place)
	}
	v, ok, err := t.value(row.Raw(f.Index), place)
	if ok {
		*d = connect.Datum{Schema: d.Schema, Value: data.StructOf(row.With(f.Index, v))}
	}
	return err == nil, err
}

func (t *hash) inMap(d *connect.Datum, place string) (bool, error) {
	pairs, ok := d.Value.Map()
	if !ok {
		return false, dataError("the %s has to be a STRUCT or MAP if field.name is set: found %s", place, kindOf(d.Value))
	}
	old, ok := d.Value.Lookup(t.c.Field)
	if !ok {
		return t.missing(place)
	}
	v, ok, err := t.value(old, place)
	if ok {
		*d = connect.Datum{Schema: d.Schema, Value: data.MapOf(upsert(append([]data.Pair(nil), pairs...), t.c.Field, v)...)}
	}
	return err == nil, err
}

func (t *hash) missing(place string) (bool, error) {
	if t.c.SkipMissing {
		return true, nil
	}
	return false, dataError("%s in %s schema can't be missing", t.c.Field, place)
}

// named tells in an error what was to be hashed.
func (t *hash) named(place string) string {
	if t.c.Field == "" {
		return place
	}
	return t.c.Field + " in " + place
}

// value hashes one value. ok is false where there is nothing to set.
func (t *hash) value(v data.Value, place string) (hashed data.Value, ok bool, err error) {
	text, isText := v.Str()
	switch {
	case v.IsNull() && t.c.SkipMissing:
		return v, false, nil
	case v.IsNull():
		return v, false, dataError("%s can't be null", t.named(place))
	case !isText:
		return v, false, dataError("%s must be STRING: found %s", t.named(place), v.Kind())
	}
	t.in = append(t.in[:0], text...)
	sum := t.out[:0]
	switch t.c.function {
	case hashMD5:
		s := md5.Sum(t.in)
		sum = append(sum, s[:]...)
	case hashSHA1:
		s := sha1.Sum(t.in)
		sum = append(sum, s[:]...)
	default:
		s := sha256.Sum256(t.in)
		sum = append(sum, s[:]...)
	}
	t.out = hex.AppendEncode(sum, sum)
	digits := string(t.out[len(sum):])
	if cap(t.in) > keptBuffer {
		t.in = nil
	}
	return data.String(digits), true, nil
}
