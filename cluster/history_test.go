package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/config"
)

// written applies a configuration of the connector to a history, by its only
// key; "" deletes.
func written(h *History, name string, offset int64, text string) {
	r := ConnectorRecord(name, config.Props{"x": text})
	if text == "" {
		r = RemoveConnector(name)[0]
	}
	h.Apply(r, offset, time.UnixMilli(offset))
}

// texts are what written wrote, by offset.
func texts(h *History, name string) (all []string) {
	for _, r := range h.Revisions(name) {
		all = append(all, fmt.Sprintf("%d@%d:%s", r.Offset, r.Time.UnixMilli(), r.Props["x"]))
	}
	return all
}

func TestHistory(t *testing.T) {
	h := NewHistory(3)
	written(h, "a", 1, "one")
	h.Apply(TargetStateRecord("a", TargetPaused), 2, time.Time{})
	h.Apply(Record{"connector-a", []byte("{")}, 3, time.Time{})
	written(h, "a", 4, "two")
	written(h, "a", 5, "two")
	assert.Equal(t, []string{"1@1:one", "5@4:two"}, texts(h, "a"), "what repeats is no revision")
	written(h, "a", 6, "three")
	written(h, "a", 7, "four")
	assert.Equal(t, []string{"5@4:two", "6@6:three", "7@7:four"}, texts(h, "a"), "the oldest goes")

	written(h, "never", 8, "")
	written(h, "a", 9, "")
	written(h, "a", 10, "")
	assert.Equal(t, []string{"6@6:three", "7@7:four", "9@9:"}, texts(h, "a"))
	revisions := h.Revisions("a")
	assert.Nil(t, revisions[2].Props)
	written(h, "b", 11, "one")
	assert.Equal(t, []HistoryEntry{{"a", 3, true}, {"b", 1, false}}, h.Connectors())
	written(h, "a", 12, "four")
	assert.Equal(t, []HistoryEntry{{"a", 3, false}, {"b", 1, false}}, h.Connectors(), "it is there again")
	assert.Equal(t, []string{"7@7:four", "9@9:", "12@12:four"}, texts(h, "a"))
	assert.Nil(t, h.Revisions("nobody"))
}

func TestHistoryForgetsDeletedConnectors(t *testing.T) {
	h := NewHistory(2)
	offset := int64(0)
	for i := range 2 * maxDeleted {
		written(h, fmt.Sprint(i), offset, "x")
		written(h, fmt.Sprint(i), offset+1, "")
		offset += 2
	}
	assert.Len(t, h.Connectors(), maxDeleted)
	assert.Nil(t, h.Revisions("0"))
	assert.Len(t, h.Revisions(fmt.Sprint(2*maxDeleted-1)), 2)
}

func TestNoHistory(t *testing.T) {
	h := NewHistory(0)
	written(h, "a", 1, "x")
	assert.Nil(t, h.Revisions("a"))
}

// A history of the recorded config topics ends, after each record, with what the
// fold has.
func TestHistoryAgreesWithFold(t *testing.T) {
	for _, file := range []string{"config_topic.jsonl", "foreign_config_topic.jsonl"} {
		folds, histories := map[string]*Fold{}, map[string]*History{}
		compared := 0
		for i, r := range readRecords(t, file) {
			if folds[r.Run] == nil {
				folds[r.Run], histories[r.Run] = &Fold{}, NewHistory(20)
			}
			f, h := folds[r.Run], histories[r.Run]
			_, _ = f.Apply(r.record(), int64(i))
			h.Apply(r.record(), int64(i), time.Time{})
			prefix, name := cutKey(r.Key)
			if prefix != connectorPrefix {
				continue
			}
			all, c := h.Revisions(name), f.View().Connector(name)
			if c == nil {
				assert.True(t, all == nil || all[len(all)-1].Props == nil, name)
				continue
			}
			compared++
			assert.Equal(t, Revision{Offset: c.Offset, Props: c.Props}, all[len(all)-1], name)
		}
		assert.Positive(t, compared, file)
	}
}
