package cqlmap

// A SettingKey is the name of a setting of a topic, or of a table that a topic
// is written to.
type SettingKey struct {
	Topic string
	// Keyspace and Table are names as Cassandra keeps them: case counts, quotes
	// are gone. Both are "" for settings of the topic.
	Keyspace, Table string
	// Setting is the tail: mapping, ttl, ...; for settings of the topic
	// codec.locale, codec.timeZone, ...
	Setting string
}

// ParseKey takes a name of the form topic.TOPIC.KEYSPACE.TABLE.SETTING or
// topic.TOPIC.codec.SETTING apart. Topics may have dots in their names;
// keyspaces, tables and settings have none. It reports false for names of
// another form. Which settings there are is the caller's to know.
func ParseKey(name string) (key SettingKey, ok bool) { return SettingKey{}, false }

// Prefix returns the name up to the setting, with its last dot, as it was
// written in the configuration.
func (k SettingKey) Prefix() string { return "" }
