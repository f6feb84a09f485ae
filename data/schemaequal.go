package data

// Equal reports whether two schemas are the same as ConnectSchema.equals sees it: kind, optional, version, name, doc, default (deep),
// fields, key and element schema, and parameters in any order. It compares pointers first, then stored hashes, and only then looks inside.
func (s *Schema) Equal(o *Schema) bool { return equalSchemas(s, o, nil) }

// visit is a pair of late-bound schemas under comparison, in a list that lives on the stack. A recursive pair that is met again
// inside of itself counts as equal: it differs if anything else does.
type visit struct {
	a, b *Schema
	up   *visit
}

func equalSchemas(a, b *Schema, up *visit) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.optional != b.optional {
		return false
	}
	recursive := a.ref != nil || b.ref != nil
	a, b = a.target(), b.target()
	if a == b {
		return true
	}
	if a == nil || b == nil || a.hash != b.hash {
		return false
	}
	if recursive {
		for v := up; v != nil; v = v.up {
			if v.a == a && v.b == b {
				return true
			}
		}
		up = &visit{a: a, b: b, up: up}
	}
	return equalAttributes(a, b) && equalInside(a, b, up)
}

// equalAttributes compares all but optional and the schemas inside.
func equalAttributes(a, b *Schema) bool {
	if a.kind != b.kind || a.hasVersion != b.hasVersion || a.version != b.version || a.name != b.name || a.doc != b.doc {
		return false
	}
	return equalParameters(a.params, b) && Equal(a.def, b.def)
}

// equalParameters reports whether the parameters of b are these, in any order.
func equalParameters(params []Parameter, b *Schema) bool {
	if len(params) != len(b.Parameters()) {
		return false
	}
	for _, p := range params {
		if v, ok := b.Parameter(p.Key); !ok || v != p.Value {
			return false
		}
	}
	return true
}

// equalInside compares fields, key and element schemas.
func equalInside(a, b *Schema, up *visit) bool {
	if len(a.fields) != len(b.fields) {
		return false
	}
	for i := range a.fields {
		if a.fields[i].Name != b.fields[i].Name || !equalSchemas(a.fields[i].Schema, b.fields[i].Schema, up) {
			return false
		}
	}
	return equalSchemas(a.key, b.key, up) && equalSchemas(a.elem, b.elem, up)
}

// Hash returns a hash that is the same for equal schemas, in this process and in others. It is stored, so calls are cheap.
func (s *Schema) Hash() uint64 {
	t := s.target()
	if t == nil {
		return 0
	}
	if s.optional {
		return hasher(t.hash).word(1).sum()
	}
	return t.hash
}

// computeHash stores the hash of all attributes but optional. Structs inside count with their fields' names only at this level and not
// deeper, for a late-bound one is not known yet; what the hash leaves out, Equal compares.
func (s *Schema) computeHash() {
	h := newHasher().word(uint64(s.kind)).text(s.name).text(s.doc)
	if s.hasVersion {
		h = h.word(uint64(s.version) + 1)
	}
	var params uint64 // a sum, for the order does not count
	for _, p := range s.params {
		params += newHasher().text(p.Key).text(p.Value).sum()
	}
	h = h.word(params).word(uint64(s.def.Kind()))
	for i := range s.fields {
		h = h.text(s.fields[i].Name).word(s.fields[i].Schema.hashInside())
	}
	s.hash = h.word(s.key.hashInside()).word(s.elem.hashInside()).sum()
}

// hashInside returns what a schema adds to the hash of the one around it.
func (s *Schema) hashInside() uint64 {
	if s == nil {
		return 0
	}
	if s.Kind() != KindStruct {
		return s.Hash()
	}
	if s.optional {
		return 1
	}
	return 2
}

// hasher is the running state of a 64-bit FNV-1a hash.
type hasher uint64

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func newHasher() hasher { return fnvOffset }

func (h hasher) sum() uint64 { return uint64(h) }

func (h hasher) word(n uint64) hasher {
	for range 8 {
		h = (h ^ hasher(n&0xff)) * fnvPrime
		n >>= 8
	}
	return h
}

// text adds the length too, so that two texts in a row never read as two others.
func (h hasher) text(s string) hasher {
	h = h.word(uint64(len(s)))
	for i := range len(s) {
		h = (h ^ hasher(s[i])) * fnvPrime
	}
	return h
}
