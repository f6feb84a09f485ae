package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/kafka"
)

// A connector with offsets.storage.topic keeps its offsets there and in the
// worker's topic; where both have one, its own counts (KIP-618).
func TestOffsetsTopicOfAConnector(t *testing.T) {
	dir, bootstrap := t.TempDir(), startKafka(t)
	in := write(t, dir, "in.txt", "one\ntwo\n")
	s := begin(t, "", "distributed", distributedFile(t, dir, bootstrap, "offset.flush.interval.ms=50\n"))
	connectors := readyAt(t, &s.stderr) + "/connectors"
	source := connectors + "/source"
	mustCurl(t, 201, http.MethodPost, connectors, fmt.Sprintf(`{"name": "source", "config": {"connector.class": "FileStreamSource",
		"file": %q, "topic": "lines", "offsets.storage.topic": "own-offsets"}}`, in))
	offsets := func() string { return mustCurl(t, 200, http.MethodGet, source+"/offsets", "") }
	at := func(position string) func() bool {
		return func() bool { return strings.Contains(offsets(), `"position":`+position) }
	}
	s.eventually("both lines are committed", at("8"))
	assert.NotContains(t, s.stderr.String(), "a key has no effect")

	own, worker := storeOn(t, bootstrap, "own-offsets"), storeOn(t, bootstrap, "connect-offsets")
	pairs := pairsOf(t, own)
	require.Len(t, pairs, 1)
	assert.Equal(t, pairs, pairsOf(t, worker), "a copy is in the worker's topic")
	require.NoError(t, worker.Set(t.Context(), []connect.KV{{Key: pairs[0].Key, Value: []byte(`{"position":4}`)}}))
	assert.True(t, at("8")(), "the connector's own topic counts")

	mustCurl(t, 204, http.MethodPut, source+"/stop", "")
	s.eventually("it has stopped", func() bool {
		return stateAt(t.Context(), strings.TrimSuffix(connectors, "/connectors"), "source").Connector.State == "STOPPED"
	})
	mustCurl(t, 200, http.MethodPatch, source+"/offsets", fmt.Sprintf(`{"offsets": [{"partition": {"filename": %q}, "offset": {"position": 4}}]}`, in))
	assert.True(t, at("4")())
	mustCurl(t, 202, http.MethodPut, source+"/resume", "")
	s.eventually("the second line comes again", func() bool { return records(t, bootstrap, "lines") == 3 && at("8")() })

	mustCurl(t, 204, http.MethodPut, source+"/stop", "")
	s.eventually("it has stopped again", func() bool {
		return stateAt(t.Context(), strings.TrimSuffix(connectors, "/connectors"), "source").Connector.State == "STOPPED"
	})
	mustCurl(t, 200, http.MethodDelete, source+"/offsets", "")
	assert.Empty(t, pairsOf(t, own))
	assert.Empty(t, pairsOf(t, worker), "or the deleted offset would come back")
	assert.JSONEq(t, `{"offsets": []}`, offsets())
	assert.Equal(t, 0, s.wait(true))
	assert.NotContains(t, s.stderr.String(), "level=ERROR")
}

// A worker that is not distributed has no such topics, as in Java; it says so.
func TestNoOffsetsTopicInStandalone(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "in.txt", "one\n")
	source := write(t, dir, "source.properties", "name=source\nconnector.class=FileStreamSource\ntopic=lines\noffsets.storage.topic=own\nfile="+filepath.Join(dir, "in.txt")+"\n")
	s := begin(t, "", "dev", source)
	s.eventually("the key is remarked", func() bool {
		return strings.Contains(s.stderr.String(), `key=offsets.storage.topic why="the worker is not distributed"`)
	})
	assert.Equal(t, 0, s.wait(true))
}

// storeOn opens the offset store on a topic.
func storeOn(t *testing.T, bootstrap, topic string) connect.OffsetStore {
	t.Helper()
	broker, err := kafka.New(kafka.Options{Worker: config.Props{"bootstrap.servers": bootstrap, "offset.storage.replication.factor": "1"}})
	require.NoError(t, err)
	store := broker.Offsets(topic)
	require.NoError(t, store.(connect.StoreOpener).OpenStore(t.Context()))
	t.Cleanup(func() { assert.NoError(t, store.(connect.StoreOpener).CloseStore(context.WithoutCancel(t.Context()))) })
	return store
}

func pairsOf(t *testing.T, store connect.OffsetStore) (all []connect.KV) {
	t.Helper()
	for kv, err := range store.Scan(t.Context(), nil) {
		require.NoError(t, err)
		all = append(all, kv)
	}
	return all
}
