package cqlmap

import (
	"slices"
	"strings"
)

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

	prefix string
}

const (
	keyStart = "topic."
	codec    = "codec"
)

// codecSettings are the settings of a topic. Others behind a codec are those of a
// table of that name.
var codecSettings = []string{"locale", "timeZone", "timestamp", "date", "time", "unit"}

// ParseKey takes a name of the form topic.TOPIC.KEYSPACE.TABLE.SETTING or
// topic.TOPIC.codec.SETTING apart. Topics may have dots in their names;
// keyspaces, tables and settings have none. It reports false for names of
// another form. Which settings there are is the caller's to know.
//
// Where both forms fit, as in topic.a.b.codec.date, it is a setting of the topic.
func ParseKey(name string) (key SettingKey, ok bool) {
	rest, ok := strings.CutPrefix(name, keyStart)
	if !ok {
		return SettingKey{}, false
	}
	rest, setting, ok1 := cutLast(rest)
	rest, table, ok2 := cutLast(rest)
	if !ok1 || !ok2 {
		return SettingKey{}, false
	}
	key.prefix = name[:len(name)-len(setting)]
	if table == codec && slices.Contains(codecSettings, setting) {
		key.Topic, key.Setting = rest, codec+"."+setting
		key.prefix = key.prefix[:len(key.prefix)-len(codec)-1]
		return key, validTopic(rest)
	}
	topic, keyspace, ok := cutLast(rest)
	key.Topic, key.Setting = topic, setting
	key.Keyspace, key.Table = unquote(keyspace), unquote(table)
	return key, ok && validTopic(topic) && key.Keyspace != "" && key.Table != "" && setting != ""
}

// Prefix returns the name up to the setting, with its last dot, as it was
// written in the configuration.
func (k SettingKey) Prefix() string { return k.prefix }

// cutLast cuts a text at its last dot.
func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// validTopic reports whether a name may be that of a topic.
func validTopic(name string) bool {
	for i := range len(name) {
		if c := name[i]; !nameByte(c) && c != '.' && c != '-' {
			return false
		}
	}
	return name != ""
}

// unquote returns a name without the quotes around it. Without quotes it is
// taken as it is, case and all.
func unquote(name string) string {
	if len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"' {
		return strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
	}
	return name
}
