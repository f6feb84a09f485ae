//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/testenv"
)

// Requests that only the leader may do, or only the worker that has a connector or
// a task, come to it by way of the others: from a Java follower to our leader, and
// the other way round. The leaders write in transactions, by which each shuts out
// the one before (KIP-618).
func TestRequestsBetweenJavaAndUs(t *testing.T) {
	j := newJoint(t, testenv.Kafka(t), config.Props{"inter.worker.key.ttl.ms": "3000", "exactly.once.source.support": "preparing"})
	ours := j.ours(nil)
	java := j.java()
	j.awaitRound("sessioned", ours.restPeer, java.restPeer)
	t.Run("ours leads", func(t *testing.T) { requests(t, j, java.restPeer, ours.restPeer) })
	ours.leave()
	j.awaitRound("sessioned", java.restPeer)
	ours = j.ours(nil)
	j.awaitRound("sessioned", java.restPeer, ours.restPeer)
	t.Run("Java leads", func(t *testing.T) { requests(t, j, ours.restPeer, java.restPeer) })
}

// requests makes all kinds of requests to a follower.
func requests(t *testing.T, j *joint, follower, leader restPeer) {
	j, follower, leader = j.on(t), follower.on(t), leader.on(t)
	dir, topic := t.TempDir(), unique("forwarded")
	makeTopic(t, j.bootstrap, topic, 1)
	var names []string
	posted := 0        // task sets that the follower has made
	for i := range 4 { // two for each worker
		name := unique(fmt.Sprintf("forward-%d", i))
		names = append(names, name)
		props := config.Props{"connector.class": fileSource, "file": filepath.Join(dir, name), "topic": topic, "tasks.max": "1"}
		appendText(t, props["file"], lines(1, 3))

		a := follower.settled(http.MethodPost, "/connectors", map[string]any{"name": name, "config": props})
		require.Equal(t, http.StatusCreated, a.status, a.text)
		assert.Equal(t, follower.base+"/connectors/"+name, a.location)
		assert.Contains(t, a.text, `"name":"`+name+`"`)
		eventually(t, func() bool { return follower.running(name) && leader.running(name) }, "connector %s to run", name)
		if s, _ := leader.status(name); s.Connector.Worker == follower.id() {
			posted++
		}
	}
	require.Positive(t, posted, "the follower has posted task sets to the leader")
	for _, r := range j.configRecords() {
		if slices.Contains(names, strings.TrimPrefix(string(r.Key), "connector-")) {
			require.True(t, r.Attrs.IsTransactional(), string(r.Key))
		}
	}
	t.Run("log levels", func(t *testing.T) { levels(t, follower, leader) })
	t.Run("signatures", func(t *testing.T) { signatures(t, j, follower, leader, names[0]) })
	t.Run("create", func(t *testing.T) { created(t, follower, leader, names[0]) })
	for _, name := range names {
		t.Run("restart", func(t *testing.T) { restarted(t, j, follower, name) })
	}
	for _, name := range names {
		t.Run("stop and offsets", func(t *testing.T) { altered(t, follower, leader, name, filepath.Join(dir, name)) })
	}
	for _, name := range names {
		assert.Equal(t, http.StatusNoContent, follower.settled(http.MethodDelete, "/connectors/"+name, nil).status)
		eventually(t, func() bool {
			return leader.call(http.MethodGet, "/connectors/"+name, nil, nil) == http.StatusNotFound &&
				follower.call(http.MethodGet, "/connectors/"+name+"/status", nil, nil) == http.StatusNotFound
		}, "connector %s to be gone", name)
		assert.Equal(t, http.StatusNotFound, follower.settled(http.MethodDelete, "/connectors/"+name, nil).status)
	}
}

// levels sets a level on all workers, by either.
func levels(t *testing.T, follower, leader restPeer) {
	const path = "/admin/loggers/org.apache.kafka.connect.file"
	for level, asked := range map[string]restPeer{"WARN": follower.on(t), "ERROR": leader.on(t)} {
		a := asked.ask(http.MethodPut, path+"?scope=cluster", map[string]any{"level": level})
		require.Equal(t, http.StatusNoContent, a.status, a.text)
		for _, p := range []restPeer{follower.on(t), leader.on(t)} {
			eventually(t, func() bool { return strings.Contains(p.ask(http.MethodGet, path, nil).text, `"level":"`+level+`"`) }, "the level to be %s", level)
		}
	}
}

// created asks for what changes a configuration.
func created(t *testing.T, follower, leader restPeer, name string) {
	follower, leader = follower.on(t), leader.on(t)
	path := "/connectors/" + name
	var props config.Props
	follower.do(http.MethodGet, path+"/config", nil).into(t, &props)
	a := follower.settled(http.MethodPost, "/connectors", map[string]any{"name": name, "config": props})
	assert.Equal(t, http.StatusConflict, a.status)
	assert.Contains(t, a.text, "already exists")
	a = follower.settled(http.MethodPut, path+"/config", props.Merge(config.Props{"batch.size": "7"}))
	assert.Equal(t, http.StatusOK, a.status, a.text)
	assert.Contains(t, a.text, `"batch.size":"7"`)
	a = follower.settled(http.MethodPatch, path+"/config", map[string]any{"batch.size": nil, "tasks.max": "3"})
	assert.Equal(t, http.StatusOK, a.status, a.text)
	assert.NotContains(t, a.text, "batch.size")
	var stored config.Props
	leader.do(http.MethodGet, path+"/config", nil).into(t, &stored)
	assert.Equal(t, props.Merge(config.Props{"tasks.max": "3"}), stored)
	a = follower.settled(http.MethodPut, path+"/config", config.Props{"connector.class": fileSource, "batch.size": "7"})
	assert.Equal(t, http.StatusBadRequest, a.status)
	assert.Contains(t, a.text, `Missing required configuration \"topic\"`)
	a = follower.settled(http.MethodPatch, "/connectors/nobody/config", map[string]any{"a": "b"})
	assert.Equal(t, http.StatusNotFound, a.status, a.text)
	a = follower.settled(http.MethodPut, "/connectors/nobody/stop", nil)
	assert.Equal(t, http.StatusNotFound, a.status, a.text)
	eventually(t, func() bool { return follower.running(name) }, "connector %s to run", name)
}

// restarted asks for restarts of all kinds. What restarts is RUNNING once more in
// the status topic.
func restarted(t *testing.T, j *joint, follower restPeer, name string) {
	follower, j = follower.on(t), j.on(t)
	path := "/connectors/" + name
	count := func(key string) (n int) {
		for _, r := range everything(t, j.bootstrap, j.states()) {
			if string(r.Key) == key && strings.Contains(string(r.Value), `"state":"RUNNING"`) {
				n++
			}
		}
		return n
	}
	instance, task := "status-connector-"+name, "status-task-"+name+"-0"
	for _, c := range []struct {
		request        string
		status         int
		restarts, also string // keys of what restarts
	}{
		{"/tasks/0/restart", http.StatusNoContent, task, ""},
		{"/restart", http.StatusNoContent, instance, ""},
		{"/restart?includeTasks=true", http.StatusAccepted, instance, task},
		{"/restart?includeTasks=true&onlyFailed=true", http.StatusAccepted, "", ""},
		{"/tasks/7/restart", http.StatusNotFound, "", ""},
	} {
		instances, tasks := count(instance), count(task)
		a := follower.settled(http.MethodPost, path+c.request, nil)
		assert.Equal(t, c.status, a.status, "%s: %s", c.request, a.text)
		for key, before := range map[string]int{instance: instances, task: tasks} {
			if key == c.restarts || key == c.also {
				eventually(t, func() bool { return count(key) > before }, "%s to restart after %s", key, c.request)
			}
		}
		eventually(t, func() bool { return follower.running(name) }, "connector %s to run after %s", name, c.request)
	}
}

// altered stops a connector and changes its offsets.
func altered(t *testing.T, follower, leader restPeer, name, file string) {
	follower, leader = follower.on(t), leader.on(t)
	path := "/connectors/" + name
	body := offsetsBody(config.Props{"filename": file}, map[string]any{"position": 7})
	a := follower.settled(http.MethodPatch, path+"/offsets", body)
	assert.Equal(t, http.StatusBadRequest, a.status, a.text)
	a = follower.settled(http.MethodPut, path+"/stop", nil)
	assert.Equal(t, http.StatusNoContent, a.status, a.text)
	eventually(t, func() bool { return follower.in(name, "STOPPED", "") && leader.in(name, "STOPPED", "") }, "connector %s to stop", name)
	a = follower.settled(http.MethodPatch, path+"/offsets", body)
	assert.Equal(t, http.StatusOK, a.status, a.text)
	assert.Contains(t, a.text, "offsets for this connector have been altered successfully")
	for _, p := range []restPeer{follower, leader} {
		assert.JSONEq(t, `{"offsets":[{"partition":{"filename":"`+file+`"},"offset":{"position":7}}]}`, p.do(http.MethodGet, path+"/offsets", nil).text)
	}
	a = follower.settled(http.MethodPatch, path+"/offsets", map[string]any{"offsets": []any{}})
	assert.Equal(t, http.StatusBadRequest, a.status, a.text)
	a = follower.settled(http.MethodDelete, path+"/offsets", nil)
	assert.Equal(t, http.StatusOK, a.status, a.text)
	for _, p := range []restPeer{follower, leader} {
		assert.JSONEq(t, `{"offsets":[]}`, p.do(http.MethodGet, path+"/offsets", nil).text)
	}
	follower.resume(name)
	follower.target(name, "pause")
	eventually(t, func() bool { return follower.in(name, "PAUSED", "PAUSED") }, "connector %s to pause", name)
}
