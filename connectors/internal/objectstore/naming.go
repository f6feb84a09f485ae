package objectstore

import (
	"fmt"
	"strings"
	"time"

	"github.com/streamlane/connect"
)

// A layout makes the keys of objects.
type layout struct {
	c        *Config
	template *template // nil: Confluent's layout
}

func newLayout(c *Config) (layout, error) {
	l := layout{c: c}
	if c.FileTemplate == "" {
		return l, nil
	}
	t, err := parseTemplate(c.FileTemplate, c.Timezone)
	if err != nil {
		return l, err
	}
	t.missing = c.FileMissing
	l.template = t
	return l, nil
}

// dir returns the folder of records of a topic: what all their files have in common.
func (l layout) dir(r *connect.SinkRecord, encoded string, at time.Time) (string, error) {
	if l.template != nil {
		return l.template.folder(r, at)
	}
	dir := r.Topic + l.c.DirectoryDelim + encoded
	if l.c.TopicsDir != "" {
		dir = l.c.TopicsDir + l.c.DirectoryDelim + dir
	}
	return dir, nil
}

// key returns the key of an object, without the extension.
func (l layout) key(dir, topic string, partition int32, offset int64) string {
	if l.template != nil {
		return l.template.withOffset(dir, offset)
	}
	return fmt.Sprintf("%s%s%s%s%d%s%0*d", dir, l.c.DirectoryDelim, topic, l.c.FileDelim, partition, l.c.FileDelim, l.c.PadWidth, offset)
}

// described makes a folder readable for messages.
func described(dir string) string {
	return strings.ReplaceAll(dir, offsetMark, "{{start_offset}}")
}
