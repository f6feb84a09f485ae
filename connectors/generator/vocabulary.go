package generator

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/streamlane/connect/data"
)

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

// people has the words that people are made of.
type people struct {
	first, last, cities []string
	plain               *strings.Replacer
}

func newPeople() *people {
	return &people{
		first:  strings.Fields("Ada Alan Barbara Dennis Edsger Frances Grace Jean Ken Leslie Margaret Niklaus Radia Søren Tony Zoë"),
		last:   strings.Fields("Allen Bartik Dijkstra Hamilton Hoare Hopper Kjær Lamport Liskov Lovelace Müller Perlman Ritchie Thompson Turing Wirth"),
		cities: []string{"Berlin", "Göteborg", "Lisboa", "London", "Nairobi", "New York", "Osaka", "Paris", "São Paulo", "Zürich"},
		plain:  strings.NewReplacer("ø", "o", "ë", "e", "æ", "ae", "ü", "u"),
	}
}

// birthdays is the number of days that people are born on, from 1970-01-01 to October 2024.
const birthdays = 20_000

func (p *people) fill(row *data.Struct, n int64, d *dice) string {
	const day = 24 * 60 * 60 * 1000
	id, first, last := strconv.FormatInt(n, 10), d.of(p.first), d.of(p.last)
	row.Set(0, data.Int64(n))
	row.Set(1, data.String(first))
	row.Set(2, data.String(last))
	row.Set(3, data.String(strings.ToLower(p.plain.Replace(first+"."+last))+id+"@example.invalid")) // a domain that can not exist
	row.Set(4, data.String(d.of(p.cities)))
	row.Set(5, data.DateMillis(int64(d.below(birthdays))*day))
	if d.below(4) > 0 {
		row.Set(6, data.String(fmt.Sprintf("+00 555 %04d", d.below(10_000))))
	}
	return id
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

// orders has the words that orders are made of.
type orders struct{ items, states []string }

func newOrders() *orders {
	return &orders{
		items:  strings.Fields("apron bicycle candle desk easel flute globe hammock inkwell jigsaw"),
		states: strings.Fields("placed paid shipped delivered returned"),
	}
}

func (o *orders) fill(row *data.Struct, n int64, d *dice) string {
	row.Set(0, data.Int64(n))
	row.Set(1, data.Int64(1+int64(d.below(10_000))))
	row.Set(2, data.String(d.of(o.items)))
	row.Set(3, data.Int32(int32(1+d.below(9))))
	row.Set(4, data.DecimalOf(data.DecimalFromInt64(int64(99+d.below(50_000)), 2)))
	row.Set(5, data.String(d.of(o.states)))
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

// readings has the sensors that take turns.
type readings struct{ sensors [100]string }

func newReadings() *readings {
	r := &readings{}
	for i := range r.sensors {
		r.sensors[i] = fmt.Sprintf("sensor-%03d", i)
	}
	return r
}

func (r *readings) fill(row *data.Struct, n int64, d *dice) string {
	sensor := r.sensors[n%int64(len(r.sensors))]
	warmth := 15 + 10*math.Sin(float64(n)/5000) + float64(d.below(100))/100
	row.Set(0, data.String(sensor))
	row.Set(1, data.DateMillis(epoch+n*100))
	row.Set(2, data.Float64(math.Round(100*warmth)/100))
	row.Set(3, data.Float32(float32(300+d.below(600))/10))
	if d.below(10) == 0 {
		row.Set(4, data.Int8(int8(d.below(101))))
	}
	return sensor
}
