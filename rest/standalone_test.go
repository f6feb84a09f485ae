package rest

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/file"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/transforms"
)

// plugins are those that the recorded requests name, as far as there are any.
func plugins() []connect.Plugin {
	return slices.Concat(file.Plugins(file.Stdio{}), transforms.Kafka(), converters.All())
}

// startInBubble runs a worker in memory for the rest of a test, in a bubble.
func startInBubble(t *testing.T, o connect.Options) *connect.Runtime {
	t.Helper()
	o.Plugins = append(o.Plugins, plugins()...)
	if o.Broker == nil && o.Receiver == nil {
		o.Broker = connecttest.NewBroker()
	}
	o.Worker = config.Props{
		"bootstrap.servers": "memory", "offset.flush.interval.ms": "500",
		"key.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter": "org.apache.kafka.connect.json.JsonConverter",
	}.Merge(o.Worker)
	if o.URL == "" {
		o.URL = "http://" + host
	}
	rt, err := connect.New(o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- rt.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return rt
}

// onlyOurs takes the plugins out of recorded lists that do not exist here.
func onlyOurs(rt *connect.Runtime) func(exchange, *outcome) {
	have := make(map[string]bool)
	for _, p := range rt.Plugins() {
		for _, j := range p.Info().StandsFor {
			have[j.Class] = true
		}
	}
	return func(e exchange, o *outcome) {
		list, isList := o.Body.([]any)
		path, _, _ := strings.Cut(e.Path, "?")
		if !isList || strings.TrimSuffix(path, "/") != "/connector-plugins" {
			return
		}
		o.Body = slices.DeleteFunc(list, func(p any) bool { return !have[p.(map[string]any)["class"].(string)] })
	}
}

// laterThings takes out of answers what is not settled when they are given: the
// tasks of a connector that was just configured.
func laterThings(e exchange, o *outcome) {
	body, _ := o.Body.(map[string]any)
	if _, isInfo := body["config"]; isInfo && e.Method != http.MethodGet {
		delete(body, "tasks")
	}
}

func stringOf(v any) string {
	s, _ := v.(string)
	return s
}

func TestReplayStandalone(t *testing.T) {
	d := standaloneDeviations()
	assert.Equal(t, 96, len(d))
	replayWorker(t, "standalone.jsonl", "sin-0.txt", host, func() connect.Options { return connect.Options{} }, nil, d)
}

// replayWorker sends the requests of the transcript of one worker.
func replayWorker(t *testing.T, name, file, host string, options func() connect.Options, internal Internal, d deviations) {
	t.Helper()
	list := transcript(t, name)
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile(file, []byte("one\ntwo\nthree\n"), 0o600))
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.URL = "http://" + host
		rt := startInBubble(t, o)
		loggers := NewLoggers(slog.LevelInfo)
		p := &replay{
			handler: Handler(rt, &Options{
				Version: "4.3.1", Commit: "26b251a451ce941d", ClusterID: "GWZ4IzolTPaRxhM13PB2Ow", Loggers: loggers, Internal: internal,
			}),
			host: host, deviates: d, both: laterThings, wait: 2 * time.Second,
		}
		ours := onlyOurs(rt)
		p.ours = func(e exchange, o *outcome) {
			ours(e, o)
			useLoggers(loggers, e, o)
		}
		p.run(t, list)
		assert.Len(t, list, 524)
		assert.Equal(t, 524-len(d), p.compared)
		t.Logf("%d requests: %d answers as Java's, %d differ on purpose", len(list), p.compared, len(d))
	})
}

// useLoggers logs something from every namespace that the Java worker had in use.
func useLoggers(l *Loggers, e exchange, o *outcome) {
	name, isLoggers := strings.CutPrefix(e.Path, "/admin/loggers")
	body, isMap := o.Body.(map[string]any)
	if !isLoggers || !isMap || e.Method != http.MethodGet || o.Status != http.StatusOK {
		return
	}
	used := slices.Collect(maps.Keys(body))
	if name = strings.Trim(name, "/"); name != "" {
		used = []string{name}
	}
	log := slog.New(l.Handler(slog.DiscardHandler))
	for _, name := range used {
		if !strings.EqualFold(name, RootLogger) {
			log.With(LoggerKey, name).Info("hello")
		}
	}
}

// checkLacks makes sure that what is said to be lacking is.
func checkLacks(t *testing.T, rt *connect.Runtime, lacks map[int]string) {
	t.Helper()
	c := newCatalog(rt.Plugins())
	for seq, class := range lacks {
		_, found := c.named(class)
		assert.False(t, found, "seq %d: the plugin %s exists now; take the request off the list", seq, class)
	}
}

// lacking are requests that need a plugin which does not exist, by its class.
type lacking map[string][]int

func (l lacking) bySeq() map[int]string {
	seqs := make(map[int]string)
	for class, of := range l {
		for _, seq := range of {
			seqs[seq] = class
		}
	}
	return seqs
}

const mirrorPackage = "org.apache.kafka.connect.mirror."

const (
	// asDistributed: a distributed worker answers what is expected here.
	asDistributed = "a standalone worker does as a distributed one"
	// ghosts are of standalone workers of Java.
	ghosts = "Java keeps states of tasks that never were"
)

// standaloneDeviations are the answers that differ on purpose.
func standaloneDeviations() deviations {
	d := deviations{}
	refusalDeviations(d)
	bodyDeviations(d)
	pathDeviations(d)
	stateDeviations(d)
	return d
}

// refusalDeviations are about errors that Java answers in a way of its own.
func refusalDeviations(d deviations) {
	d.add(deviation{why: "the handler describes itself", status: 200, part: `"openapi":"3`}, 19)
	d.add(deviation{why: asDistributed, status: 404, part: "Unknown connector none"}, 30)
	d.add(deviation{why: asDistributed, status: 404, part: "Unknown connector: none"}, 32, 35)
	d.add(deviation{why: asDistributed, status: 404, part: "Unknown task: file-src-"}, 265, 267, 306)
	const list = "available connectors are listed by their class"
	d.add(deviation{why: list, status: 400, part: "matches Nope, available connectors are: org.apache.kafka.connect.file.FileStreamSinkConnector, org"}, 131, 212)
	d.add(deviation{why: list, status: 400, part: "matches java.lang.String, available connectors are: "}, 133)
	d.add(deviation{why: list, status: 400, part: "matches , available connectors are: "}, 137)
	d.add(deviation{why: "keys are in alphabetical order", status: 400, part: "in-0.txt, name=x, tasks.max=1, topic=plain-lines"}, 135)
	d.add(deviation{why: "Java's second error is a NullPointerException about the first", status: 400, part: "contains the following 2 error(s)"}, 159)
	d.add(deviation{why: asDistributed, status: 201, part: `"topic.creation.default.partitions":"1"`, location: "/connectors/x"}, 177)
	d.add(deviation{why: asDistributed, status: 400, part: "This worker does not have exactly-once source support enabled."}, 181)
	d.add(deviation{why: asDistributed, status: 404, part: "Connector x not found"}, 182)
	d.add(deviation{why: "a setting of the wrong type is the client's mistake", status: 400, part: "Invalid value x for configuration linger.ms: Not a number of type LONG"}, 189)
	d.add(deviation{why: asDistributed, status: 201, part: `"file":null`, location: "/connectors/x"}, 195)
	d.add(deviation{why: "the connector's name cannot be changed", status: 400, part: "Connector name configuration (zzz) doesn't match connector name in the URL (file-src)"}, 289)
	d.add(deviation{why: "the connector has kept its name", status: 400, part: "in-0.txt, name=file-src, tasks.max=1, topic=plain-lines"}, 290)
	d.add(deviation{why: "the connector has kept its name", status: 200, part: `"name":"file-src"`}, 296, 301)
	const noPartition = "a source offset needs a partition"
	d.add(deviation{why: noPartition, status: 400, part: "The partition for a source connector offset cannot be null or missing"}, 317, 320)
	const found = "the error says what was found, and where"
	d.add(deviation{why: found, status: 500, part: "is expected to be a Long value, found the"}, 321, 336)
	d.add(deviation{why: found, status: 500, part: "should be a non-negative value, found -1"}, 322)
	d.add(deviation{why: found, status: 500, part: "Partition objects should contain the key 'filename'"}, 324)
	d.add(deviation{why: found, status: 500, part: "Offset objects should either be null or contain the key 'position'"}, 325)
	const unknown = "what the broker does not know is the client's mistake"
	d.add(deviation{why: unknown, status: 400, part: "Failed to alter consumer group offsets for connector file-sink: "}, 461, 472, 474)
	d.add(deviation{why: "negative numbers are the client's mistake", status: 400, part: "want a topic, a partition and an offset that are not negative"}, 464, 469)
	d.add(deviation{why: "an empty level is the client's mistake", status: 400, part: "Illegal null or empty Level name."}, 499)
}

// bodyDeviations are about bodies that cannot be read.
func bodyDeviations(d deviations) {
	const words = "Jackson's words are its own"
	d.add(deviation{why: words, status: 500, part: "Unexpected end-of-input: "}, 89, 206, 270, 293, 310, 501)
	d.add(deviation{why: words, status: 500, part: "Cannot construct instance of `CreateConnectorRequest`"}, 97, 99)
	d.add(deviation{why: words, status: 500, part: "Cannot construct instance of `CreateConnectorRequest$InitialState`"}, 191, 193)
	d.add(deviation{why: words, status: 500, part: "Invalid UTF-8 "}, 204)
	d.add(deviation{why: "the words are Go's", status: 400, part: "The signature of the request is no Base64"}, 274)
	const null = "Java's answer is a NullPointerException"
	d.add(deviation{why: null, status: 400, part: "The request has no body; "}, 91, 93, 207, 215, 292, 295, 311, 312, 502, 509)
	d.add(deviation{why: null, status: 400, part: "The request has no config; "}, 101, 103, 107)
}

// pathDeviations are about names that Java's server refuses in a path.
func pathDeviations(d deviations) {
	const json = "errors have bodies of JSON"
	d.add(deviation{why: json, status: 400, part: "Ambiguous URI empty segment"}, 7, 430)
	d.add(deviation{why: "Go's server refuses malformed escapes by itself", status: 400}, 426, 427)
	d.add(deviation{why: json, status: 400, part: "String may not contain control sequences but had the following ASCII chars: 10"}, 214)
	const names = "any name can be in a path"
	d.add(deviation{why: names, status: 200, part: `"name":"a/b"`}, 366, 367, 368, 369)
	d.add(deviation{why: names, status: 200, part: `"name":"a%2Fb"`}, 372, 373, 374, 375)
	d.add(deviation{why: names, status: 200, part: `"name":"a\\b"`}, 402, 403)
	d.add(deviation{why: names, status: 200, part: `"name":"per%cent"`}, 410, 411)
	d.add(deviation{why: names, status: 204}, 370, 376, 404, 412)
	d.add(deviation{why: names, status: 404, part: "Connector ../x not found"}, 428)
	const location = "Location headers lead to what was created"
	d.add(deviation{why: location, status: 201, part: `"name":"a/b"`, location: "/connectors/a%2Fb"}, 365)
	d.add(deviation{why: location, status: 201, part: `"name":"a%2Fb"`, location: "/connectors/a%252Fb"}, 371)
	d.add(deviation{why: location, status: 201, part: `"name":"semi;colon"`, location: "/connectors/semi%3Bcolon"}, 389)
	d.add(deviation{why: location, status: 201, part: `"name":"per%cent"`, location: "/connectors/per%25cent"}, 409)
	const deleted = "the connectors with odd names could be deleted"
	d.add(deviation{why: deleted, status: 200, part: "[]"}, 522)
	d.add(deviation{why: deleted, status: 200, part: "{}"}, 524)
}

// stateDeviations are about states.
func stateDeviations(d deviations) {
	d.add(deviation{why: ghosts, status: 200, part: `"state":"STOPPED","worker_id":"127.0.0.1:18321","version":"4.3.1"},"tasks":[]`}, 298, 339)
	d.add(deviation{why: ghosts, status: 202, part: `"state":"RESTARTING","worker_id":"127.0.0.1:18321","version":"4.3.1"},"tasks":[]`}, 305)
	d.add(deviation{why: ghosts, status: 200, part: `"state":"PAUSED","worker_id":"127.0.0.1:18321","version":"4.3.1"},"tasks":[]`}, 308)
	d.add(deviation{why: ghosts, status: 200, part: `"tasks":[{"id":0,"state":"RUNNING"`}, 344, 425)
	d.add(deviation{why: "records are counted from the start of the test", status: 200, part: `"offset":{"kafka_offset":`}, 436)
	d.add(deviation{why: "the topics of a connector that is deleted are forgotten", status: 200, part: `{"file-sink":{"topics":[]}}`}, 519)
}
