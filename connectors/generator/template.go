package generator

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// A template makes up records of one kind. Number and task decide everything.
type template struct {
	schema *data.Schema
	task   uint64
	// row fills in a struct and returns the record's key.
	row func(row *data.Struct, n int64, d *dice) (key string)
}

// templateNames returns the values of the key template, the default first.
func templateNames() []string { return []string{"person", "order", "reading"} }

func newTemplate(name string, task int) *template {
	t := &template{task: uint64(task)}
	switch name {
	case "order":
		t.schema, t.row = orderSchema(), fillOrder
	case "reading":
		t.schema, t.row = readingSchema(), fillReading
	default:
		t.schema, t.row = personSchema(), fillPerson
	}
	return t
}

func (t *template) fill(batch []connect.SourceRecord, first int64) {
	structs := data.NewStructs(t.schema, len(batch))
	for i := range batch {
		n := first + int64(i)
		key := t.row(&structs[i], n, &dice{state: mix(t.task) ^ uint64(n)})
		batch[i].Key = connect.Datum{Schema: data.StringSchema, Value: data.String(key)}
		batch[i].Value = connect.Datum{Schema: t.schema, Value: data.StructOf(&structs[i])}
	}
}

// dice gives numbers that look random, the same ones for the same record.
type dice struct{ state uint64 }

// below returns a number from 0 to n-1.
func (d *dice) below(n int) int {
	d.state = mix(d.state)
	return int(d.state % uint64(n))
}

// of picks one of the words.
func (d *dice) of(words []string) string { return words[d.below(len(words))] }

func firstNames() []string {
	return []string{"Ada", "Alan", "Barbara", "Dennis", "Edsger", "Frances", "Grace", "Jean", "Ken", "Leslie", "Margaret", "Niklaus", "Radia", "Søren", "Tony", "Zoë"}
}

func lastNames() []string {
	return []string{"Allen", "Bartik", "Dijkstra", "Hamilton", "Hoare", "Hopper", "Kjær", "Lamport", "Liskov", "Lovelace", "Müller", "Perlman", "Ritchie", "Thompson", "Turing", "Wirth"}
}

func cities() []string {
	return []string{"Berlin", "Göteborg", "Lisboa", "London", "Nairobi", "New York", "Osaka", "Paris", "São Paulo", "Zürich"}
}

func personSchema() *data.Schema {
	return data.StructBuilder().Name("generator.Person").Version(1).
		Field("id", data.Int64Schema).
		Field("first_name", data.StringSchema).
		Field("last_name", data.StringSchema).
		Field("email", data.StringSchema).
		Field("city", data.StringSchema).
		Field("born", data.DateSchema).
		Field("phone", data.OptionalStringSchema).
		MustBuild()
}

func fillPerson(row *data.Struct, n int64, d *dice) string {
	first, last := d.of(firstNames()), d.of(lastNames())
	row.Set(0, data.Int64(n))
	row.Set(1, data.String(first))
	row.Set(2, data.String(last))
	row.Set(3, data.String(mailbox(first, last, n)))
	row.Set(4, data.String(d.of(cities())))
	row.Set(5, data.DateMillis(int64(d.below(20_000))*24*60*60*1000)) // from 1970 to 2024
	if d.below(4) > 0 {
		row.Set(6, data.String(fmt.Sprintf("+00 555 %04d", d.below(10_000))))
	}
	return strconv.FormatInt(n, 10)
}

// mailbox makes an address in a domain that can not exist.
func mailbox(first, last string, n int64) string {
	plain := strings.NewReplacer("ø", "o", "ë", "e", "æ", "ae", "ü", "u")
	return strings.ToLower(plain.Replace(first+"."+last)) + strconv.FormatInt(n, 10) + "@example.invalid"
}

func orderSchema() *data.Schema {
	return data.StructBuilder().Name("generator.Order").Version(1).
		Field("id", data.Int64Schema).
		Field("customer", data.Int64Schema).
		Field("item", data.StringSchema).
		Field("quantity", data.Int32Schema).
		Field("price", data.DecimalSchema(2)).
		Field("status", data.StringSchema).
		Field("placed", data.TimestampSchema).
		Field("coupon", data.OptionalStringSchema).
		MustBuild()
}

func fillOrder(row *data.Struct, n int64, d *dice) string {
	items := []string{"apron", "bicycle", "candle", "desk", "easel", "flute", "globe", "hammock", "inkwell", "jigsaw"}
	row.Set(0, data.Int64(n))
	row.Set(1, data.Int64(1+int64(d.below(10_000))))
	row.Set(2, data.String(d.of(items)))
	row.Set(3, data.Int32(int32(1+d.below(9))))
	row.Set(4, data.DecimalOf(data.DecimalFromInt64(int64(99+d.below(50_000)), 2)))
	row.Set(5, data.String(d.of([]string{"placed", "paid", "shipped", "delivered", "returned"})))
	row.Set(6, data.DateMillis(epoch+n*1000))
	if d.below(5) == 0 {
		row.Set(7, data.String(fmt.Sprintf("SAVE%02d", 5*(1+d.below(6)))))
	}
	return strconv.FormatInt(n, 10)
}

func readingSchema() *data.Schema {
	return data.StructBuilder().Name("generator.Reading").Version(1).
		Field("sensor", data.StringSchema).
		Field("at", data.TimestampSchema).
		Field("temperature", data.Float64Schema).
		Field("humidity", data.Float32Schema).
		Field("battery", data.OptionalInt8Schema).
		MustBuild()
}

// sensors is how many sensors take turns.
const sensors = 100

func fillReading(row *data.Struct, n int64, d *dice) string {
	sensor := fmt.Sprintf("sensor-%03d", n%sensors)
	noise := float64(d.below(100)) / 100
	row.Set(0, data.String(sensor))
	row.Set(1, data.DateMillis(epoch+n*100))
	row.Set(2, data.Float64(math.Round(100*(15+10*math.Sin(float64(n)/5000)+noise))/100))
	row.Set(3, data.Float32(float32(30+d.below(600)/10)))
	if d.below(10) == 0 {
		row.Set(4, data.Int8(int8(d.below(101))))
	}
	return sensor
}
