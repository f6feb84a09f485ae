package assign_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/internal/wire"
)

// recording is what a recorded group of Java's workers did: its rounds, and what
// was configured at each position of the config topic.
type recording struct {
	rounds []recordedRound
	config []configuredAt
}

// recordedRound is one assignment: what the members said on joining, and what the
// leader handed out.
type recordedRound struct {
	at       time.Time
	leader   string
	position int64
	delay    time.Duration
	members  []recordedMember
}

type recordedMember struct {
	id       string
	owned    cluster.Work
	assigned cluster.Work
	revoked  cluster.Work
}

type configuredAt struct {
	position int64
	work     cluster.Work
}

// configured returns what was there at a position of the config topic.
func (r recording) configured(position int64) cluster.Work {
	var work cluster.Work
	for _, c := range r.config {
		if c.position <= position {
			work = c.work
		}
	}
	return work
}

// recordedLine is one line of a recording: an event, or a group as the broker
// described it.
type recordedLine struct {
	At      int64  `json:"at"`
	Event   string `json:"event"`
	State   string `json:"state"`
	Members []struct {
		ID         string `json:"memberId"`
		Metadata   []byte `json:"metadata"`
		Assignment []byte `json:"assignment"`
	} `json:"members"`
}

// record reads a recording that lies with the tests of package wire. Only what
// the broker shows of a stable group belongs together: then members and
// assignments are of the same round.
func record(t *testing.T, name string) recording {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "wire", "testdata", "group", name+".jsonl"))
	require.NoError(t, err)
	var r recording
	config := newConfigTopic(strings.HasPrefix(name, "sessioned"))
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, len(b))
	for lines.Scan() {
		var line recordedLine
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		if line.Event != "" {
			config.apply(t, line.Event)
		}
		if line.State == "Stable" {
			r.rounds = append(r.rounds, stable(t, line))
		}
	}
	require.NoError(t, lines.Err())
	r.config = config.history
	return r
}

func stable(t *testing.T, line recordedLine) recordedRound {
	t.Helper()
	round := recordedRound{at: time.UnixMilli(line.At)}
	for _, m := range line.Members {
		metadata, err := wire.ParseMetadata(m.Metadata)
		require.NoError(t, err)
		a, err := wire.ParseAssignment(m.Assignment)
		require.NoError(t, err)
		require.Equal(t, wire.NoError, a.Error)
		member := recordedMember{id: m.ID, assigned: a.Assigned, revoked: a.Revoked}
		if metadata.Allocation != nil {
			member.owned = metadata.Allocation.Assigned
		}
		round.leader, round.position, round.delay = a.Leader, a.ConfigOffset, a.Delay
		round.members = append(round.members, member)
	}
	return round
}

// configTopic follows the requests that were made while a group was recorded.
type configTopic struct {
	position int64
	tasks    map[string]int
	history  []configuredAt
}

func newConfigTopic(sessioned bool) *configTopic {
	c := &configTopic{tasks: map[string]int{}}
	if sessioned {
		c.position++ // the session key comes first
	}
	return c
}

// apply knows how many tasks each of the recorded connectors has.
func (c *configTopic) apply(t *testing.T, event string) {
	t.Helper()
	_, request, ok := strings.Cut(event, ": ")
	if !ok {
		return
	}
	method, path, _ := strings.Cut(request, " ")
	path, err := url.PathUnescape(path)
	require.NoError(t, err)
	name, verb, _ := strings.Cut(strings.TrimPrefix(path, "/connectors/"), "/")
	n := map[string]int{"one": 1, "größe-7": 7, "three": 3}[name]
	require.NotZero(t, n, event)
	switch method + " " + verb {
	case "PUT config":
		c.add(1, name, 0)
		c.add(n+1, name, n) // its tasks and the commit
	case "PUT pause":
		c.add(1, name, n)
	case "PUT stop":
		c.add(1, name, 0) // the commit of no tasks
		c.add(1, name, 0)
	case "DELETE ":
		c.add(2, name, -1)
	default:
		require.Fail(t, "unknown request", event)
	}
}

func (c *configTopic) add(records int, name string, tasks int) {
	c.position += int64(records)
	c.tasks[name] = tasks
	var work cluster.Work
	for name, n := range c.tasks {
		if n >= 0 {
			work.Connectors = append(work.Connectors, name)
		}
		for i := range n {
			work.Tasks = append(work.Tasks, cluster.TaskID{Connector: name, Task: i})
		}
	}
	c.history = append(c.history, configuredAt{c.position, work.Sorted()})
}
