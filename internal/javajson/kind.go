package javajson

// A Kind tells the sorts of JSON values apart. The zero Kind is none of them.
type Kind uint8

// The kinds of JSON values.
const (
	Null Kind = iota + 1
	Boolean
	Number
	String
	Array
	Object
)

// String returns the kind as Jackson's JsonNodeType prints it.
func (k Kind) String() string {
	switch k {
	case Null:
		return "NULL"
	case Boolean:
		return "BOOLEAN"
	case Number:
		return "NUMBER"
	case String:
		return "STRING"
	case Array:
		return "ARRAY"
	case Object:
		return "OBJECT"
	}
	return "MISSING"
}
