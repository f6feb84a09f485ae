package deadletter

import (
	"iter"
	"strconv"
	"strings"
)

// The headers of Java, in the order in which it writes them. Texts are UTF-8.
const (
	HeaderTopic     = "__connect.errors.topic"
	HeaderPartition = "__connect.errors.partition"
	HeaderOffset    = "__connect.errors.offset"
	HeaderConnector = "__connect.errors.connector.name"
	HeaderTask      = "__connect.errors.task.id"
	HeaderStage     = "__connect.errors.stage"
	HeaderClass     = "__connect.errors.class.name"
	HeaderException = "__connect.errors.exception.class.name"
	HeaderMessage   = "__connect.errors.exception.message"
	HeaderTrace     = "__connect.errors.exception.stacktrace"
)

// The headers that dead letters of sources have besides. Java writes none such,
// so they have a prefix that it does not use.
const (
	HeaderSourcePartition = "__streamlane.errors.source.partition"
	HeaderSourceOffset    = "__streamlane.errors.source.offset"
	HeaderSourceText      = "__streamlane.errors.source.text"
)

// A Context says what failed, on which record, and why.
type Context struct {
	// Topic, Partition and Offset are where a sink's record was consumed, or where
	// a source's record was to go. Nil: not known, and there is no header.
	Topic     *string
	Partition *int32
	Offset    *int64

	Connector string
	Task      int
	Stage     string
	// Class was at work, Exception is the class of the error: names of Java's,
	// where there are such.
	Class, Exception string
	// Message is the error's; nil is an error without one.
	Message *string
	Trace   string

	// Source is set in letters of sources.
	Source *Source
}

// A Source is the position of a source's record in its system.
type Source struct {
	// Partition and Offset are JSON objects, or the text null.
	Partition, Offset string
	// Text lists the parts of the letter that are the text of a value which has no
	// JSON form: key, value, header:<name>. With commas between; "": none.
	Text string
}

// All yields the headers in the order in which they are written. A nil value is
// null.
func (c *Context) All() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, h := range c.headers() {
			if !yield(h.key, h.value) {
				return
			}
		}
	}
}

type header struct {
	key   string
	value []byte
}

func (c *Context) headers() []header {
	all := make([]header, 0, 13)
	add := func(key, value string) { all = append(all, header{key, []byte(strings.ToValidUTF8(value, "?"))}) }
	if c.Topic != nil {
		add(HeaderTopic, *c.Topic)
	}
	if c.Partition != nil {
		add(HeaderPartition, strconv.FormatInt(int64(*c.Partition), 10))
	}
	if c.Offset != nil {
		add(HeaderOffset, strconv.FormatInt(*c.Offset, 10))
	}
	add(HeaderConnector, c.Connector)
	add(HeaderTask, strconv.Itoa(c.Task))
	add(HeaderStage, c.Stage)
	add(HeaderClass, c.Class)
	add(HeaderException, c.Exception)
	if c.Message != nil {
		add(HeaderMessage, *c.Message)
	} else {
		all = append(all, header{HeaderMessage, nil})
	}
	add(HeaderTrace, c.Trace)
	if s := c.Source; s != nil {
		add(HeaderSourcePartition, s.Partition)
		add(HeaderSourceOffset, s.Offset)
		if s.Text != "" {
			add(HeaderSourceText, s.Text)
		}
	}
	return all
}

// set takes one header over; false if it is no number where it should be one.
// What it does not know is of a later version.
func (c *Context) set(key string, value []byte) bool {
	text := string(value)
	switch key {
	case HeaderTopic:
		c.Topic = &text
	case HeaderPartition:
		return number(&c.Partition, text, 32)
	case HeaderOffset:
		return number(&c.Offset, text, 64)
	case HeaderConnector:
		c.Connector = text
	case HeaderTask:
		n, err := strconv.Atoi(text)
		c.Task = n
		return err == nil
	case HeaderStage:
		c.Stage = text
	case HeaderClass:
		c.Class = text
	case HeaderException:
		c.Exception = text
	case HeaderMessage:
		if value != nil {
			c.Message = &text
		}
	case HeaderTrace:
		c.Trace = text
	case HeaderSourcePartition, HeaderSourceOffset, HeaderSourceText:
		c.setSource(key, text)
	}
	return true
}

func (c *Context) setSource(key, text string) {
	if c.Source == nil {
		c.Source = &Source{}
	}
	switch key {
	case HeaderSourcePartition:
		c.Source.Partition = text
	case HeaderSourceOffset:
		c.Source.Offset = text
	case HeaderSourceText:
		c.Source.Text = text
	}
}

func number[T int32 | int64](to **T, text string, bits int) bool {
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		return false
	}
	v := T(n)
	*to = &v
	return true
}

// Parse reads the headers of a letter, of which of returns key and value. The
// Context is in those from first up to end; the others are the record's own. A
// record that was a letter before has an older Context among them. ok is false if
// there is none, or if one of its numbers is none.
func Parse[H any](headers []H, of func(H) (key string, value []byte)) (c Context, first, end int, ok bool) {
	keys := make([]string, len(headers))
	for i := range headers {
		keys[i], _ = of(headers[i])
	}
	if first = lastSet(keys); first < 0 {
		return Context{}, 0, 0, false
	}
	for end = first; end < len(keys) && isOfContext(keys[end]); end++ {
		if key, value := of(headers[end]); !c.set(key, value) {
			return Context{}, 0, 0, false
		}
	}
	return c, first, end, true
}

// lastSet returns where the last set of headers begins; -1 if there is none.
func lastSet(keys []string) int {
	at := len(keys) - 1
	for at >= 0 && keys[at] != HeaderConnector {
		at--
	}
	for _, before := range []string{HeaderOffset, HeaderPartition, HeaderTopic} {
		if at > 0 && keys[at-1] == before {
			at--
		}
	}
	return at
}

func isOfContext(key string) bool {
	return strings.HasPrefix(key, "__connect.errors.") || strings.HasPrefix(key, "__streamlane.errors.")
}
