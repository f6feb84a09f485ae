package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/offsets"
)

// startKafka starts a broker for a test.
func startKafka(t *testing.T) (bootstrap string) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(1))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs()[0]
}

// ask asks a cluster.
func ask[T any](t *testing.T, bootstrap string, question func(context.Context, connect.Admin) (T, error)) T {
	t.Helper()
	broker, err := kafka.New(kafka.Options{Worker: config.Props{"bootstrap.servers": bootstrap}})
	require.NoError(t, err)
	admin, err := broker.Admin(t.Context(), connect.ClientConfig{})
	require.NoError(t, err)
	defer func() { assert.NoError(t, admin.Close(context.Background())) }()
	answer, err := question(t.Context(), admin)
	require.NoError(t, err)
	return answer
}

// committed returns what a sink has committed of the first partition of a topic.
func committed(t *testing.T, bootstrap, sink, topic string) int64 {
	t.Helper()
	return ask(t, bootstrap, func(ctx context.Context, a connect.Admin) (connect.Offsets, error) {
		return a.GroupOffsets(ctx, "connect-"+sink)
	})[connect.TopicPartition{Topic: topic}]
}

// records returns how many records the first partition of a topic has.
func records(t *testing.T, bootstrap, topic string) int64 {
	t.Helper()
	return ask(t, bootstrap, func(ctx context.Context, a connect.Admin) (connect.Offsets, error) {
		return a.EndOffsets(ctx, topic)
	})[connect.TopicPartition{Topic: topic}]
}

// sourcePosition returns what an offset file holds, as one text; "" for nothing.
// Nobody else may have the file open.
func sourcePosition(t *testing.T, path string) string {
	t.Helper()
	store := offsets.File(path)
	require.NoError(t, store.OpenStore(t.Context()))
	defer func() { require.NoError(t, store.CloseStore(context.Background())) }()
	var found []string
	for kv, err := range store.Scan(t.Context(), nil) {
		require.NoError(t, err)
		found = append(found, string(kv.Value))
	}
	return strings.Join(found, " ")
}

// javaFiles writes files as a user of Java's standalone worker has them, and
// returns their paths: the worker's, then a source's and a sink's.
func javaFiles(t *testing.T, dir, bootstrap string) []string {
	t.Helper()
	worker := write(t, dir, "connect-standalone.properties", `# Licensed to nobody in particular.
# These are defaults. This file just demonstrates how to override some settings.
bootstrap.servers=`+bootstrap+`

# The converters specify the format of data in Kafka.
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=true
value.converter.schemas.enable = true

offset.storage.file.filename=`+dir+`/connect.offsets
# Flush much faster than normal, which is useful for testing/debugging
offset.flush.interval.ms=10000
! Directories with plugins
plugin.path=/usr/local/share/java,\
  /usr/local/share/kafka/plugins

config.providers = env,secrets
config.providers.env.class: org.apache.kafka.common.config.provider.EnvVarConfigProvider
config.providers.secrets.class=org.apache.kafka.common.config.provider.FileConfigProvider
task.shutdown.graceful.timeout.ms=${env:WORKER_GRACE}
consumer.max.poll.records=300
retry.backoff.ms=200
listeners=http://:8083
offset.flush.intervall.ms=1
`)
	write(t, dir, "secrets.properties", "prefix=from-file\n")
	source := write(t, dir, "connect-file-source.properties", `name=local-file-source
connector.class=FileStreamSource
tasks.max=1
file=`+dir+`/test.txt
topic=connect-${env:PART}
transforms=where
transforms.where.type=org.apache.kafka.connect.transforms.RegexRouter
transforms.where.regex=connect-(.*)
transforms.where.replacement=${secrets:`+dir+`/secrets.properties:prefix}-$1
`)
	sink := write(t, dir, "sink.json", `{
  "name": "local-file-sink",
  "config": {
    "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
    "tasks.max": 1,
    "file": "`+dir+`/test.sink.txt",
    "topics": "from-file-lines"
  },
  "initial_state": "RUNNING",
  "comment": ["no matter"]
}`)
	return []string{worker, source, sink}
}

func TestStandaloneRunsJavasFiles(t *testing.T) {
	dir, bootstrap := t.TempDir(), startKafka(t)
	write(t, dir, "test.txt", "foo\nbar\n")
	s := begin(t, "", append([]string{"standalone"}, javaFiles(t, dir, bootstrap)...)...)
	s.eventually("both lines arrive", func() bool { return content(dir+"/test.sink.txt") == "foo\nbar\n" })
	require.Equal(t, 0, s.wait(true))

	log := s.stderr.String()
	assert.Contains(t, log, `msg="connect is running" connectors=2 bootstrap=`+bootstrap+" offsets="+dir+"/connect.offsets")
	assert.Contains(t, log, `msg="the REST interface is up" url=http://`)
	assert.Contains(t, log, "key=offset.flush.intervall.ms nearest=offset.flush.interval.ms")
	assert.NotContains(t, log, "key=retry.backoff.ms", "it is a key of the worker's clients")
	assert.Contains(t, log, `msg="records in all" connector=local-file-sink records=2`)
	assert.NotContains(t, log, "ERROR")

	assert.JSONEq(t, `{"position": 8}`, sourcePosition(t, dir+"/connect.offsets"))
	assert.Equal(t, int64(2), records(t, bootstrap, "from-file-lines"))
	assert.Equal(t, int64(2), committed(t, bootstrap, "local-file-sink", "from-file-lines"))
}

// The streams of the process are those of file connectors without a file.
func TestStandardStreams(t *testing.T) {
	dir := t.TempDir()
	in := write(t, dir, "in.properties", "name=in\nconnector.class=FileStreamSource\ntopic=t\n")
	out := write(t, dir, "out.properties", "name=out\nconnector.class=FileStreamSink\ntopics=t\n")
	s := begin(t, "one\ntwo\n", "dev", in, out)
	s.eventually("both lines arrive", func() bool { return s.stdout.String() == "one\ntwo\n" })
	assert.Equal(t, 0, s.wait(true))
}

// A worker starts although the system of one of its connectors is away: the task waits for it. The same configuration given to a worker that runs
// is refused.
func TestSystemThatIsAway(t *testing.T) {
	dir := t.TempDir()
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, refusing.Close())
	props := `"connector.class": "MqttSource", "uris": "mqtt://` + refusing.Addr().String() + `", "topics": "t/#", "kafka.topic": "t"`
	c := write(t, dir, "c.json", `{"name": "c", `+props+`}`)
	s := begin(t, "", "dev", "-rest", "127.0.0.1:0", c)
	s.eventually("the worker runs", func() bool { return strings.Contains(s.stderr.String(), `msg="connect is running"`) })
	s.eventually("the task waits", func() bool { return strings.Contains(s.stderr.String(), "connection refused") })
	_, rest, _ := strings.Cut(s.stderr.String(), `msg="the REST interface is up" url=`)
	url, _, _ := strings.Cut(rest, " ")
	res, err := http.Post(url+"connectors", "application/json", strings.NewReader(`{"name": "d", "config": {`+props+`}}`))
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	assert.Equal(t, http.StatusBadRequest, res.StatusCode)
	assert.Contains(t, string(body), "connection refused")
	require.Equal(t, 0, s.wait(true))
	assert.NotContains(t, s.stderr.String(), "level=ERROR")
}

func TestInitialState(t *testing.T) {
	dir := t.TempDir()
	for _, state := range []string{"PAUSED", "STOPPED"} {
		c := write(t, dir, state+".json", `{"name": "c", "config": {"connector.class": "FileStreamSource", "topic": "t", "file": "/absent"}, "initial_state": "`+state+`"}`)
		s := begin(t, "", "dev", c)
		s.eventually(state, func() bool { return strings.Contains(s.stderr.String(), "msg=\"connect is running\"") })
		assert.Contains(t, s.stderr.String(), "msg="+strings.ToLower(state)+" connector=c\n")
		assert.Equal(t, 0, s.wait(true))
		assert.NotContains(t, s.stderr.String(), "msg=running")
	}
}

func TestBadFiles(t *testing.T) {
	const converters = "key.converter=StringConverter\nvalue.converter=StringConverter\n"
	dir, bootstrap := t.TempDir(), startKafka(t)
	good := "bootstrap.servers=" + bootstrap + "\noffset.storage.file.filename=" + dir + "/offsets\n" + converters
	for _, c := range []struct {
		name, worker, connector string
		code                    int
		want                    []string // lines, without the name of the command
	}{
		{name: "empty worker file", connector: "name=a", code: 2, want: []string{
			`W: Missing required configuration "bootstrap.servers" which has no default value.`,
			`W: Missing required configuration "key.converter" which has no default value.`,
			`W: Missing required configuration "value.converter" which has no default value.`,
			`W: Missing required configuration "offset.storage.file.filename" which has no default value.`,
		}},
		{name: "both files", worker: good + "offset.flush.interval.ms=soon", connector: "k=v", code: 2, want: []string{
			"W: Invalid value soon for configuration offset.flush.interval.ms: Not a number of type LONG",
			`C: missing the mandatory "name" configuration`,
		}},
		{name: "bad escape", worker: `k=\u1`, connector: "name=a", code: 2, want: []string{
			`W: properties, line 1, value of k: malformed \uxxxx encoding`,
		}},
		{name: "unknown provider", worker: good + "config.providers=v,w\nconfig.providers.v.class=VaultConfigProvider\nconfig.providers.w.class=x.Y", connector: "name=a", code: 2, want: []string{
			`W: config.providers.v: class "VaultConfigProvider" is no provider of this worker: want FileConfigProvider, DirectoryConfigProvider or EnvVarConfigProvider`,
			`W: config.providers.w: class "x.Y" is no provider of this worker: want FileConfigProvider, DirectoryConfigProvider or EnvVarConfigProvider`,
		}},
		{name: "provider's setting", worker: good + "config.providers=f\nconfig.providers.f.class=FileConfigProvider\nconfig.providers.f.param.allowed.paths=a", connector: "name=a", code: 2, want: []string{
			"W: config.providers.f: configuration allowed.paths: path a is not absolute",
		}},
		{name: "security", worker: good + "security.protocol=TELNET", connector: "name=a", code: 2, want: []string{
			"W: kafka: admin \"\": Invalid value TELNET for configuration security.protocol: ",
		}},
		{name: "Kafka is not there", worker: strings.Replace(good, bootstrap, "127.0.0.1:1", 1) + "default.api.timeout.ms=200\nrequest.timeout.ms=100", connector: "name=a\nconnector.class=FileStreamSource\ntopic=t\nfile=f", code: 2, want: []string{
			"W: bootstrap.servers 127.0.0.1:1: ",
		}},
		{name: "connector's keys", worker: good, connector: "name=a\nconnector.class=FileStreamSource\ntasks.max=0\nbatch.size=many", code: 3, want: []string{
			`C: connector "a": tasks.max: Invalid value 0 for configuration tasks.max: Value must be at least 1`,
			`C: connector "a": topic: Missing required configuration "topic" which has no default value.`,
			`C: connector "a": batch.size: Invalid value many for configuration batch.size: Not a number of type INT`,
		}},
		{name: "connector's class", worker: good, connector: "name=a\nconnector.class=Nope", code: 3, want: []string{
			`C: connector "a": bad request: Invalid value Nope for configuration connector.class: `,
		}},
		{name: "two names", worker: good, connector: `{"name": "a", "config": {"name": "b"}}`, code: 3, want: []string{
			`C: name: found "a", and "b" in config; both must be equal`,
		}},
		{name: "offset file", worker: good + "offset.storage.file.filename=" + dir + "/absent/offsets", connector: "name=a\nconnector.class=FileStreamSource\ntopic=t\nfile=f", code: 3, want: []string{
			`connect: opening the stores: open offset file "` + dir + `/absent/offsets": `,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			worker, connector := write(t, dir, "w.properties", c.worker), write(t, dir, "c.json", c.connector)
			code, stdout, stderr := runToEnd(t, "standalone", "--log-level", "error", worker, connector)
			assert.Equal(t, c.code, code)
			assert.Empty(t, stdout)
			lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
			for i := range lines {
				lines[i] = strings.NewReplacer("connect standalone: ", "", worker, "W", connector, "C").Replace(lines[i])
			}
			require.Len(t, lines, len(c.want), stderr)
			for i, want := range c.want {
				assert.Contains(t, lines[i], want)
			}
		})
	}
}

// A connector that is right, but cannot start, ends the worker as in Java; one
// whose task fails does not, and the log has the reason, once.
func TestFailures(t *testing.T) {
	dir := t.TempDir()
	sink := write(t, dir, "sink.properties", "name=sink\nconnector.class=FileStreamSink\ntopics=t\nfile="+dir+"/absent/out.txt\n")
	s := begin(t, "", "dev", "--topics", "t:2, u", sink)
	s.eventually("the task fails", func() bool { return strings.Contains(s.stderr.String(), "level=ERROR") })
	assert.Equal(t, 0, s.wait(true))
	assert.Equal(t, 1, strings.Count(s.stderr.String(), dir+"/absent/out.txt: no such file or directory"))
	assert.Contains(t, s.stderr.String(), `msg="topics created" topics=t,u`)

	missing := write(t, dir, "missing.properties", "name=missing\nconnector.class=FileStreamSource\ntopic=t\nfile=x\nkey.converter=${file:"+dir+"/absent:key}\n")
	code, _, stderr := runToEnd(t, "dev", missing)
	assert.Equal(t, 3, code)
	assert.Contains(t, stderr, "connect dev: "+missing+`: connector "missing": `)
	assert.Contains(t, stderr, dir+"/absent: no such file or directory")
}

func TestSignalsEndCleanly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no signals to send")
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			dir, bootstrap := t.TempDir(), startKafka(t)
			text := strings.Repeat("0123456789\n", 5000)
			write(t, dir, "test.txt", text)
			c := subprocess(t.Context(), append([]string{"standalone"}, javaFiles(t, dir, bootstrap)...)...)
			c.start(t)
			eventually(t, "the lines arrive", func() bool { return content(filepath.Join(dir, "test.sink.txt")) == text })
			require.Equal(t, 0, c.end(t, signal), c.stderr.String())
			assert.Contains(t, c.stderr.String(), signal.String())

			assert.JSONEq(t, `{"position": 55000}`, sourcePosition(t, dir+"/connect.offsets"))
			assert.Equal(t, int64(5000), records(t, bootstrap, "from-file-lines"))
			assert.Equal(t, int64(5000), committed(t, bootstrap, "local-file-sink", "from-file-lines"))
		})
	}
}
