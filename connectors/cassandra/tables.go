package cassandra

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/cqlmap"
	"github.com/streamlane/connect/connectors/internal/cqlvalue"
)

// The settings of a table that other code asks for by name.
const (
	mappingSetting     = "mapping"
	consistencySetting = "consistencyLevel"
	querySetting       = "query"
)

var (
	tableSettings = []string{mappingSetting, consistencySetting, "serialConsistencyLevel", "ttl", "ttlTimeUnit", "timestampTimeUnit", "nullToUnset", "deletesEnabled", querySetting}
	codecSettings = []string{"locale", "timeZone", "timestamp", "date", "time", "unit"}
	timeUnitNames = []string{"NANOSECONDS", "MICROSECONDS", "MILLISECONDS", "SECONDS", "MINUTES", "HOURS", "DAYS"}
)

// A tableConfig has the settings of one table for one topic. Its names are as they are in Cassandra, case and all.
type tableConfig struct {
	topic, keyspace, table string
	prefix                 string // of the keys, with a dot at its end

	mapping, consistency, serial, ttlUnit, timestampUnit, query string
	ttl                                                         int
	nullToUnset, deletes                                        bool
	deletesGiven                                                bool
}

// key returns the whole key of a setting.
func (t *tableConfig) key(setting string) string { return t.prefix + setting }

// Describe declares the keys.
func (t *tableConfig) Describe(d *config.Def) {
	config.String(d, &t.mapping, mappingSetting).Default("").
		Doc("Columns and what is written to them, such as `id=key, name=value.name, __ttl=header.ttl`. Without it, fields go to columns of their names.")
	config.EnumFold(d, &t.consistency, consistencySetting, "ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_QUORUM", "EACH_QUORUM", "LOCAL_ONE").Default("LOCAL_ONE").
		Doc("Consistency level of writes.")
	config.EnumFold(d, &t.serial, "serialConsistencyLevel", "", "SERIAL", "LOCAL_SERIAL").Default("").
		Doc("Serial consistency level of a query with a condition. Empty: the server's.")
	config.Int(d, &t.ttl, "ttl").Default(-1).Check(config.Between(-1, 630720000)).Doc("Seconds that rows live. -1: as the table says.")
	config.EnumFold(d, &t.ttlUnit, "ttlTimeUnit", timeUnitNames...).Default("SECONDS").Doc("Unit of `__ttl` in the mapping.")
	config.EnumFold(d, &t.timestampUnit, "timestampTimeUnit", timeUnitNames...).Default("MICROSECONDS").Doc("Unit of `__timestamp` in the mapping.")
	config.Bool(d, &t.nullToUnset, "nullToUnset").Default(true).Doc("Whether a null leaves its column as it is. false: it deletes the column's value, by a tombstone.")
	config.Bool(d, &t.deletes, "deletesEnabled").Default(true).Given(&t.deletesGiven).
		Doc("Whether a record without values, a tombstone say, deletes its row. Must be false with query.")
	config.String(d, &t.query, querySetting).Default("").
		Doc("A statement in place of the INSERT that the sink makes. Its named parameters are what the mapping calls columns. It is not batched, nor tried again if it may have been carried out.")
}

// Check checks what no single key can say.
func (t *tableConfig) Check() error {
	if t.mapping != "" {
		if _, err := cqlmap.Parse(t.mapping); err != nil {
			return keyError(mappingSetting, t.mapping, "%w", err)
		}
	}
	if t.query == "" {
		return nil
	}
	if t.mapping == "" {
		return keyError(mappingSetting, "", "is needed for query: it says what the named parameters are")
	}
	if t.deletes && t.deletesGiven {
		return keyError("deletesEnabled", "true", "does not go with query: set it to false")
	}
	t.deletes = false
	return nil
}

func (t *tableConfig) level() gocql.Consistency { return gocql.ParseConsistency(t.consistency) }

var errTopicKey = fmt.Errorf("want topic.TOPIC.KEYSPACE.TABLE.SETTING with a setting of %s, or topic.TOPIC.codec.SETTING with one of %s",
	strings.Join(tableSettings, ", "), strings.Join(codecSettings, ", "))

// parseTopicKey takes a key apart, and returns what all keys of the same table have in common.
func parseTopicKey(name string) (k cqlmap.SettingKey, err error) {
	k, ok := cqlmap.ParseKey(name)
	if !ok {
		return k, errTopicKey
	}
	if codec, ok := strings.CutPrefix(k.Setting, "codec."); ok && k.Table == "" {
		if !slices.Contains(codecSettings, codec) {
			return k, errTopicKey
		}
		return k, nil
	}
	if k.Table == "" || !slices.Contains(tableSettings, k.Setting) {
		return k, errTopicKey
	}
	return k, nil
}

// parseTopicKeys makes tables and codecs of the keys below "topic.".
func (c *Config) parseTopicKeys() error {
	const all = "topic."
	type table struct{ topic, keyspace, table string }
	var errs []error
	tables, codecs, prefixes := map[table]config.Props{}, map[string]config.Props{}, map[table]string{}
	for _, rest := range slices.Sorted(maps.Keys(c.topicKeys)) {
		name := all + rest
		k, err := parseTopicKey(name)
		if err != nil {
			errs = append(errs, keyError(name, "", "is no setting: %w", err))
			continue
		}
		if codec, ok := strings.CutPrefix(k.Setting, "codec."); ok {
			put(codecs, k.Topic, codec, c.topicKeys[rest])
			continue
		}
		t := table{k.Topic, k.Keyspace, k.Table}
		if _, twice := tables[t][k.Setting]; twice {
			errs = append(errs, keyError(name, "", "the setting is given twice, with quotes and without"))
			continue
		}
		put(tables, t, k.Setting, c.topicKeys[rest])
		prefixes[t] = strings.TrimSuffix(name, k.Setting)
	}
	c.tables, c.codecs = nil, map[string]cqlvalue.Options{}
	for k, props := range tables {
		t := &tableConfig{topic: k.topic, keyspace: k.keyspace, table: k.table, prefix: prefixes[k]}
		errs = append(errs, below(t.prefix, config.Decode(props, t)))
		c.tables = append(c.tables, t)
	}
	for topic, props := range codecs {
		o := cqlvalue.Options{
			Locale: props["locale"], TimeZone: props["timeZone"], Timestamp: props["timestamp"], Date: props["date"], Time: props["time"], Unit: props["unit"],
		}
		errs = append(errs, below(all+topic+".", codecErrors(o)))
		c.codecs[topic] = o
	}
	slices.SortFunc(c.tables, func(a, b *tableConfig) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.keyspace, b.keyspace), cmp.Compare(a.table, b.table))
	})
	return errors.Join(errs...)
}

// codecErrors puts what is wrong with a topic's codecs beside their keys.
func codecErrors(o cqlvalue.Options) error {
	var errs []error
	for key, one := range map[string]cqlvalue.Options{
		"locale": {Locale: o.Locale}, "timeZone": {TimeZone: o.TimeZone}, "timestamp": {Timestamp: o.Timestamp}, "date": {Date: o.Date},
		"time": {Time: o.Time}, "unit": {Unit: o.Unit},
	} {
		if err := one.Validate(); err != nil {
			errs = append(errs, keyError("codec."+key, "", "%w", err))
		}
	}
	return errors.Join(errs...)
}

func put[K comparable](m map[K]config.Props, k K, key, value string) {
	if m[k] == nil {
		m[k] = config.Props{}
	}
	m[k][key] = value
}

// below puts a prefix before the keys of errors.
func below(prefix string, err error) error {
	keys, rest := config.KeyErrors(err)
	for _, k := range keys {
		rest = append(rest, &config.KeyError{Key: prefix + k.Key, Value: k.Value, Err: cmp.Or(k.Err, error(k))})
	}
	return errors.Join(rest...)
}

// autoTable returns the table of a topic without keys of its own, or nil if there is none.
func (c *Config) autoTable(topic string) *tableConfig {
	if c.Auto.Keyspace == "" {
		return nil
	}
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, topic)
	t := &tableConfig{topic: topic, keyspace: c.Auto.Keyspace, table: strings.ReplaceAll(c.Auto.Table, "${topic}", name)}
	t.prefix = "topic." + topic + "." + t.keyspace + "." + t.table + "."
	_ = config.Decode(config.Props{}, t) // defaults are right
	return t
}

// tablesOf returns the tables that records of a topic go to.
func (c *Config) tablesOf(topic string) []*tableConfig {
	var found []*tableConfig
	for _, t := range c.tables {
		if t.topic == topic {
			found = append(found, t)
		}
	}
	if found == nil {
		if t := c.autoTable(topic); t != nil {
			found = append(found, t)
		}
	}
	return found
}

// parsePrimaryKey reads the fields of a primary key: (a,b),c or a,b,c.
func parsePrimaryKey(fields []string) (partition, clustering []string, err error) {
	open, closed := false, false
	for i, f := range fields {
		f = strings.TrimSpace(f)
		inner, opens := strings.CutPrefix(f, "(")
		inner, closes := strings.CutSuffix(inner, ")")
		inner = strings.TrimSpace(inner)
		if inner == "" || strings.ContainsAny(inner, "()") || opens && i > 0 || closes && !open && !opens {
			return nil, nil, fmt.Errorf("is no primary key, such as a,b or (a,b),c: %q is not understood", f)
		}
		open = open || opens
		if open && !closed || i == 0 {
			partition = append(partition, inner)
		} else {
			clustering = append(clustering, inner)
		}
		closed = closed || closes
	}
	if open && !closed {
		return nil, nil, errors.New("is no primary key: a parenthesis is not closed")
	}
	return partition, clustering, nil
}
