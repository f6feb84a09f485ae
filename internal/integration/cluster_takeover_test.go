//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/testenv"
)

// A file source with its own topic.
type lineSource struct {
	name, input, topic string
	props              config.Props
	given              int
	want               []string // values of the topic
}

// give appends lines to the file, which the topic is to have next.
func (s *lineSource) give(t testing.TB, n int) {
	t.Helper()
	appendText(t, s.input, lines(s.given+1, s.given+n))
	s.want = append(s.want, lineValues(s.given+1, s.given+n)...)
	s.given += n
}

// estate is a set of connectors in all the states in which a cluster may be left.
type estate struct {
	t      testing.TB
	j      *joint
	dir    string
	prefix string
	// sources by what is special about them.
	sources map[string]*lineSource
	output  string // of the sink of the plain source
	rewound string // of a sink whose offset was altered
}

// The sources that run all the time.
func (e *estate) running() []*lineSource {
	return []*lineSource{e.sources["plain"], e.sources["alias"], e.sources["größe"], e.sources["secret"], e.sources["own"]}
}

func newEstate(t testing.TB, j *joint, prefix string) *estate {
	t.Helper()
	e := &estate{t: t, j: j, dir: t.TempDir(), prefix: unique(prefix), sources: make(map[string]*lineSource)}
	e.output, e.rewound = filepath.Join(e.dir, "output.txt"), filepath.Join(e.dir, "rewound.txt")
	for _, what := range []string{"plain", "alias", "größe", "secret", "own", "paused", "stopped", "altered", "born-paused", "born-stopped"} {
		s := &lineSource{name: e.prefix + "-" + what, input: filepath.Join(e.dir, what+".txt"), topic: unique("lines")}
		s.props = config.Props{"connector.class": fileSource, "file": s.input, "topic": s.topic, "tasks.max": "1", "name": s.name}
		e.sources[what] = s
		makeTopic(t, j.bootstrap, s.topic, 1)
	}
	alias := e.sources["alias"]
	alias.props = alias.props.Merge(config.Props{
		"connector.class": "FileStreamSource", "topic": "unrouted", "batch.size": "10",
		"transforms": "route", "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
		"transforms.route.regex": "unrouted", "transforms.route.replacement": alias.topic,
	})
	e.sources["own"].props["offsets.storage.topic"] = unique("own-offsets")
	secrets := filepath.Join(e.dir, "secrets.properties")
	require.NoError(t, os.WriteFile(secrets, []byte("topic="+e.sources["secret"].topic+"\n"), 0o600))
	e.sources["secret"].props["topic"] = "${file:" + secrets + ":topic}"
	return e
}

func (e *estate) sink(what, output string) (name string, props config.Props) {
	return e.prefix + "-" + what, config.Props{
		"connector.class": fileSink, "topics": e.sources["plain"].topic, "file": output, "tasks.max": "1", "name": e.prefix + "-" + what,
	}
}

// settle creates the connectors on a cluster by way of one of its workers.
func (e *estate) settle(p restPeer) {
	e.t.Helper()
	for what, s := range e.sources {
		if state, born := map[string]string{"born-paused": "PAUSED", "born-stopped": "stopped"}[what]; born {
			p.do(http.MethodPost, "/connectors", map[string]any{"name": s.name, "config": s.props, "initial_state": state})
			continue
		}
		s.give(e.t, 5)
		p.put(s.name, s.props)
	}
	for _, out := range []string{e.output, e.rewound} {
		name, props := e.sink(filepath.Base(out), out)
		p.put(name, props)
	}
	for what, s := range e.sources {
		if what != "born-paused" && what != "born-stopped" {
			require.Equal(e.t, s.want, values(e.t, e.j.bootstrap, s.topic, 5))
		}
	}
	p.target(e.sources["paused"].name, "pause")
	eventually(e.t, func() bool {
		return p.in(e.sources["paused"].name, "PAUSED", "PAUSED") && e.offsets(p)["paused"] != "[]"
	}, "a connector to pause and its offset to be committed")
	p.halt(e.sources["stopped"].name)
	e.alter(p)
	awaitLines(e.t, e.sources["plain"].want, e.output)
}

// alter stops a source and a sink and has them go on after the second line.
func (e *estate) alter(p restPeer) {
	e.t.Helper()
	s := e.sources["altered"]
	p.halt(s.name)
	p.do(http.MethodPatch, "/connectors/"+s.name+"/offsets", offsetsBody(config.Props{"filename": s.input}, map[string]any{"position": len(lines(1, 2))}))
	s.want = append(s.want, lineValues(3, 5)...)

	name, _ := e.sink(filepath.Base(e.rewound), e.rewound)
	awaitLines(e.t, lineValues(1, 5), e.rewound)
	p.halt(name)
	partition := map[string]any{"kafka_topic": e.sources["plain"].topic, "kafka_partition": 0}
	body := offsetsBody(partition, map[string]any{"kafka_offset": 2})
	eventually(e.t, func() bool { // the group may have a member for a moment
		return p.call(http.MethodPatch, "/connectors/"+name+"/offsets", body, nil) == http.StatusOK
	}, "the offset of a sink to be altered")
}

func offsetsBody(partition, offset any) map[string]any {
	return map[string]any{"offsets": []any{map[string]any{"partition": partition, "offset": offset}}}
}

// takenOver checks that other workers go on where those before stopped.
func (e *estate) takenOver(p restPeer) {
	e.t.Helper()
	for what, states := range map[string][2]string{
		"plain": {"RUNNING", "RUNNING"}, "alias": {"RUNNING", "RUNNING"}, "größe": {"RUNNING", "RUNNING"}, "secret": {"RUNNING", "RUNNING"},
		"paused": {"PAUSED", "PAUSED"}, "stopped": {"STOPPED", ""}, "altered": {"STOPPED", ""},
		"born-paused": {"PAUSED", ""}, "born-stopped": {"STOPPED", ""},
		"output.txt": {"RUNNING", "RUNNING"}, "rewound.txt": {"STOPPED", ""},
	} {
		name := e.prefix + "-" + what
		eventually(e.t, func() bool { return p.in(name, states[0], states[1]) }, "connector %s to be %v", name, states)
	}
	for _, s := range e.running() {
		require.Equal(e.t, s.want, values(e.t, e.j.bootstrap, s.topic, len(s.want)), "%s goes on with the next line", s.name)
	}
	awaitLines(e.t, e.sources["plain"].want, e.output)
}

// woken checks that what was paused or stopped goes on as well, once it is told to.
func (e *estate) woken(p restPeer) {
	e.t.Helper()
	for _, what := range []string{"paused", "stopped", "altered", "born-paused", "born-stopped"} {
		s := e.sources[what]
		s.give(e.t, 4)
		p.resume(s.name)
		require.Equal(e.t, s.want, values(e.t, e.j.bootstrap, s.topic, len(s.want)), "%s goes on with the next line", s.name)
	}
	name, _ := e.sink(filepath.Base(e.rewound), e.rewound)
	p.resume(name)
	awaitLines(e.t, append(lineValues(1, 5), e.sources["plain"].want[2:]...), e.rewound)
}

// offsets returns what a worker says of the sources' offsets.
func (e *estate) offsets(p restPeer) map[string]string {
	e.t.Helper()
	all := make(map[string]string)
	for what, s := range e.sources {
		var body struct {
			Offsets []struct{ Partition, Offset map[string]any } `json:"offsets"`
		}
		a := p.do(http.MethodGet, "/connectors/"+s.name+"/offsets", nil)
		a.into(e.t, &body)
		all[what] = fmt.Sprint(body.Offsets)
	}
	return all
}

// A cluster moves from our workers to a Java worker and back: states, task sets,
// offsets, all from its topics.
func TestClusterMovesBetweenJavaAndUs(t *testing.T) {
	j := newJoint(t, testenv.Kafka(t), config.Props{
		"config.providers": "file", "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
	})
	first, second := j.ours(nil), j.ours(nil)
	ours := newEstate(t, j, "ours")
	ours.settle(second.restPeer)
	said := ours.offsets(first.restPeer)
	first.leave()
	second.leave()
	sets := j.taskSets()
	require.Len(t, sets, 2*10+3, "two records each, and one more for what was stopped")

	for _, s := range ours.running() {
		s.give(t, 3)
	}
	java := j.java()
	ours.takenOver(java.restPeer)
	assert.Equal(t, sets, j.taskSets(), "Java finds the task sets that it would have made")
	now := ours.offsets(java.restPeer)
	for _, what := range []string{"paused", "stopped", "altered", "born-paused", "born-stopped"} {
		assert.Equal(t, said[what], now[what], "the offsets of %s", what)
	}
	ours.woken(java.restPeer)

	javas := newEstate(t, j, "javas")
	javas.settle(java.restPeer)
	said = javas.offsets(java.restPeer)
	java.Stop()
	sets = j.taskSets()
	for _, s := range append(ours.running(), javas.running()...) {
		s.give(t, 3)
	}
	first, second = j.ours(nil), j.ours(nil)
	javas.takenOver(first.restPeer)
	for _, s := range ours.sources {
		eventually(t, func() bool { return second.running(s.name) }, "connector %s to run", s.name)
		require.Equal(t, s.want, values(t, j.bootstrap, s.topic, len(s.want)))
	}
	awaitLines(t, ours.sources["plain"].want, ours.output)
	assert.Equal(t, sets, j.taskSets(), "our workers find the task sets that they would have made")
	now = javas.offsets(second.restPeer)
	for _, what := range []string{"paused", "stopped", "altered", "born-paused", "born-stopped"} {
		assert.Equal(t, said[what], now[what], "the offsets of %s", what)
	}
	javas.woken(second.restPeer)
}
