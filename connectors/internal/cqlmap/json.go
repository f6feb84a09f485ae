package cqlmap

import (
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/jsonvalue"
)

// load reads the object that a text holds. A text that holds none stays a text,
// as the anchor has it: what is no JSON is a value of its own. So it is with
// Jackson that only the first value of the text counts.
func (o *object) load(text string) {
	if o.read {
		return
	}
	o.read = true
	r := javajson.NewReader([]byte(text))
	if kind, err := r.Next(); err != nil || kind != javajson.Object {
		return
	}
	if members, err := jsonvalue.Read(&r, number); err == nil {
		o.members = members
	}
}

// number returns a whole number of 64 bits as such, and any other as a decimal,
// which keeps all of its digits.
func number(n javajson.Num) (data.Value, error) {
	d, err := data.ParseDecimal(n.Text())
	if err != nil {
		return data.Value{}, err
	}
	if n.Integral() {
		if i, ok := d.Int64(); ok {
			return data.Int64(i), nil
		}
	}
	return data.DecimalOf(d), nil
}
