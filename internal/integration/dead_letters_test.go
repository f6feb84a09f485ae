//go:build integration

package integration

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/internal/testenv"
)

const jsonConverter = "org.apache.kafka.connect.json.JsonConverter"

// errorHeader is the prefix of the headers that tell what failed.
const errorHeader = "__connect.errors."

// badRecords are records that a sink with JSON converters cannot take, one for
// each stage and more, among good ones.
func badRecords(topic string) []*kgo.Record {
	at := func(r *kgo.Record, n int) *kgo.Record {
		r.Topic, r.Timestamp = topic, time.UnixMilli(1_700_000_000_000+int64(n))
		return r
	}
	good, header := []byte(`{"n":1}`), func(key string, value []byte) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: value} }
	all := []*kgo.Record{
		{Key: []byte(`1`), Value: good},
		{Key: []byte(`1`), Value: []byte(`not JSON`)},
		{Key: nil, Value: []byte(`{"n":`), Headers: []kgo.RecordHeader{header("a", []byte("1")), header("null", nil), header("empty", []byte{}), header("a", []byte("2"))}},
		{Key: []byte(`{`), Value: good},
		{Key: []byte(`{`), Value: nil},
		{Key: []byte(`{`), Value: []byte{0xff, 0, '\n'}, Headers: []kgo.RecordHeader{header("bad", []byte("{"))}},
		{Key: []byte(`1`), Value: good, Headers: []kgo.RecordHeader{header("ok", []byte("true")), header("bad", []byte("{"))}},
		{Key: []byte(`1`), Value: []byte(`5`)}, // fails in the transform
		{Key: []byte(`1`), Value: good},
		{Key: []byte{}, Value: []byte(`[`), Headers: []kgo.RecordHeader{header(errorHeader+"stage", []byte("of an earlier life"))}},
	}
	for i, r := range all {
		at(r, i)
	}
	return all
}

// comparableHeaders returns a letter's headers as they are to be compared: without the lines
// of the stack, of which the first is class and message again.
func comparableHeaders(r *kgo.Record) (all []string) {
	for _, h := range r.Headers {
		value := h.Value
		if h.Key == errorHeader+"exception.stacktrace" {
			value, _, _ = bytes.Cut(value, []byte("\n"))
		}
		text := string(value)
		if value == nil {
			text = "<null>"
		}
		all = append(all, h.Key+"="+text)
	}
	return all
}

// header returns the last header of a name.
func header(r *kgo.Record, name string) (text string) {
	for _, h := range r.Headers {
		if h.Key == errorHeader+name {
			text = string(h.Value)
		}
	}
	return text
}

// A Java worker and ours write the same letters for the same records: keys,
// values, times, headers, all but the lines of stacks.
func TestDeadLettersAreThoseOfJava(t *testing.T) {
	brokers := testenv.Kafka(t)
	bootstrap := brokers.Bootstrap()
	java := newJavaPeer(t, testenv.JavaConnect(t, brokers, testenv.WorkerOptions{}))
	topic, name, dir := unique("bad"), unique("letters"), t.TempDir()
	makeTopic(t, bootstrap, topic, 1)
	records := badRecords(topic)
	require.NoError(t, bare(t, bootstrap).ProduceSync(within(t), records...).FirstErr())
	props := func(who string) config.Props {
		return config.Props{
			"connector.class": fileSink, "topics": topic, "file": filepath.Join(dir, who), "tasks.max": "1",
			"key.converter": jsonConverter, "key.converter.schemas.enable": "false",
			"value.converter": jsonConverter, "value.converter.schemas.enable": "false",
			"header.converter": jsonConverter, "header.converter.schemas.enable": "false",
			"transforms": "add", "transforms.add.type": "org.apache.kafka.connect.transforms.InsertField$Value",
			"transforms.add.static.field": "f", "transforms.add.static.value": "v",
			"errors.tolerance": "all", "errors.deadletterqueue.topic.name": topic + "-" + who,
			"errors.deadletterqueue.topic.replication.factor": "1", "errors.deadletterqueue.context.headers.enable": "true",
		}
	}
	const bad = 8
	java.put(name, props("java"))
	theirs := recordsOf(t, bootstrap, topic+"-java", bad)
	java.halt(name)
	w := startWorker(t, bootstrap, workerOptions{})
	w.put(name, props("ours").Merge(config.Props{"consumer.override.group.id": unique("group")}))
	ours := recordsOf(t, bootstrap, topic+"-ours", bad)

	for i, theirs := range theirs {
		ours := ours[i]
		at := "letter of offset " + header(theirs, "offset")
		assert.Equal(t, theirs.Key, ours.Key, at)
		assert.Equal(t, theirs.Value, ours.Value, at)
		assert.Equal(t, theirs.Timestamp, ours.Timestamp, at)
		want, got := comparableHeaders(theirs), comparableHeaders(ours)
		if header(theirs, "stage") == "TRANSFORMATION" {
			// The words differ in what a value is called.
			assert.Contains(t, header(theirs, "exception.message"), "Only Map objects supported in absence of schema for [field insertion]")
			assert.Contains(t, header(ours, "exception.message"), "Only Map objects supported in absence of schema for [field insertion]")
			want, got = want[:len(want)-2], got[:len(got)-2]
		}
		assert.Equal(t, want, got, at)
		assert.Contains(t, header(ours, "exception.stacktrace"), "\n\tat "+header(ours, "stage")+" by ")
	}
	described, err := kadm.NewClient(bare(t, bootstrap)).ListTopics(within(t), topic+"-java", topic+"-ours")
	require.NoError(t, err)
	assert.Equal(t, len(described[topic+"-java"].Partitions), len(described[topic+"-ours"].Partitions))
	assert.Equal(t, described[topic+"-java"].Partitions.NumReplicas(), described[topic+"-ours"].Partitions.NumReplicas())

	t.Run("of sources, Java reads them", func(t *testing.T) { javaReadsLettersOfSources(t, java, bootstrap) })
}

// recordsOf returns the records of a topic with one partition, once there are n
// and no more.
func recordsOf(t testing.TB, bootstrap, topic string, n int) []*kgo.Record {
	t.Helper()
	records(t, bootstrap, topic, n)
	all := everything(t, bootstrap, topic)
	require.Len(t, all, n, "letters in %s", topic)
	return all
}

// Letters of sources are JSON with schemas: a Java sink reads what they were.
func javaReadsLettersOfSources(t *testing.T, java javaPeer, bootstrap string) {
	dlq, out := unique("dlq"), filepath.Join(t.TempDir(), "out")
	fails := connecttest.TransformPlugin("Fails", func(config.Props) connecttest.Transform {
		return connecttest.Transform{ApplyFunc: func(context.Context, *connect.Record) (bool, error) {
			return false, connect.ErrBadRequest
		}}
	})
	feed := newFeed()
	feed.add(connect.Record{Topic: unique("never"), Key: bytesDatum([]byte("k")), Value: bytesDatum([]byte("as it was"))})
	ours := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{feed.plugin(), fails}})
	ours.put("source", config.Props{
		"connector.class": "Feed", "errors.tolerance": "all", "transforms": "f", "transforms.f.type": "Fails",
		"streamlane.errors.deadletterqueue.topic.name": dlq, "streamlane.errors.deadletterqueue.topic.replication.factor": "1",
	})
	letter := recordsOf(t, bootstrap, dlq, 1)[0]
	assert.Equal(t, "TRANSFORMATION", header(letter, "stage"))
	assert.Equal(t, `{"schema":{"type":"bytes","optional":true},"payload":"YXMgaXQgd2Fz"}`, string(letter.Value))
	name := unique("reader")
	java.put(name, config.Props{
		"connector.class": fileSink, "topics": dlq, "file": out, "tasks.max": "1", "key.converter": jsonConverter, "value.converter": jsonConverter,
		"errors.tolerance": "none",
	})
	eventually(t, func() bool { return len(sortedLines(t, out)) == 1 }, "Java to read the letter")
	assert.True(t, java.running(name))
	java.halt(name)
}

// bad is a value that no JSON converter reads, of a size.
func bad(size int) []byte { return append([]byte("not JSON "), bytes.Repeat([]byte("x"), size)...) }

// letterSink is the configuration of a sink that cannot read anything.
func letterSink(topic, dlq string) config.Props {
	return config.Props{
		"connector.class": "Basket", "topics": topic, "value.converter": jsonConverter, "errors.tolerance": "all",
		"errors.deadletterqueue.topic.name": dlq, "errors.deadletterqueue.topic.replication.factor": "1",
		"errors.deadletterqueue.context.headers.enable": "true",
	}
}

// restart restarts the only task of a connector that has failed.
func (w *worker) restart(name string) {
	w.t.Helper()
	require.NoError(w.t, w.RestartTask(within(w.t), cluster.TaskID{Connector: name}))
}

// A letter that is too large for its topic stops the task before its record. When
// the topic takes it, the task goes on there.
func TestDeadLetterTooLargeForItsTopic(t *testing.T) {
	bootstrap := testenv.Kafka(t).Bootstrap()
	topic, dlq, name := unique("large"), unique("small"), unique("sink")
	makeTopic(t, bootstrap, topic, 1)
	makeTopic(t, bootstrap, dlq, 1, "max.message.bytes", "2000")
	writer := bare(t, bootstrap, kgo.DefaultProduceTopic(topic))
	require.NoError(t, writer.ProduceSync(within(t), &kgo.Record{Value: bad(10)}, &kgo.Record{Value: bad(5000)}).FirstErr())
	w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{newBasket().plugin()}})
	w.putOnly(name, letterSink(topic, dlq))
	trace := w.awaitFailed(name)
	assert.Contains(t, trace, "MESSAGE_TOO_LARGE")
	assert.Contains(t, trace, dlq)
	assert.Contains(t, trace, topic+"-0@") // the record, or one in a batch with it
	assert.Contains(t, trace, "max.message.bytes")
	assert.LessOrEqual(t, committed(t, kadm.NewClient(bare(t, bootstrap)), "connect-"+name, topic, 0), int64(1))

	larger := "100000"
	_, err := kadm.NewClient(writer).AlterTopicConfigs(within(t), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &larger}}, dlq)
	require.NoError(t, err)
	w.restart(name)
	awaitCommitted(t, bootstrap, "connect-"+name, topic, 0, 2)
	all := everything(t, bootstrap, dlq)
	assert.Equal(t, bad(5000), all[len(all)-1].Value)
}

// allow gives the user ann operations on resources.
func allow(t testing.TB, bootstrap string, acls ...*kadm.ACLBuilder) {
	t.Helper()
	adm := kadm.NewClient(bare(t, bootstrap))
	for _, b := range acls {
		created, err := adm.CreateACLs(within(t), b.Allow("User:ann").AllowHosts().ResourcePatternType(kadm.ACLPatternLiteral))
		require.NoError(t, err)
		for _, c := range created {
			require.NoError(t, c.Err, c.ErrMessage)
		}
	}
}

// What a worker may not do with the topic of dead letters fails the task, before it
// starts or with the offset before the record; with the rights that the
// documentation names it goes on.
func TestDeadLettersNeedRights(t *testing.T) {
	kafka := testenv.KafkaWith(t, testenv.KafkaOptions{
		Listeners: []testenv.Listener{{Name: "SASL", Protocol: "SASL_PLAINTEXT"}},
		Properties: []string{
			"listener.name.sasl.sasl.enabled.mechanisms=PLAIN",
			"listener.name.sasl.plain.sasl.jaas.config=" + jaas + `plain.PlainLoginModule required user_ann="ann-secret";`,
			"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users=User:ANONYMOUS",
		},
	})
	bootstrap := kafka.Bootstrap()
	topic, dlq, name := unique("in"), unique("dlq"), unique("sink")
	makeTopic(t, bootstrap, topic, 1)
	require.NoError(t, bare(t, bootstrap, kgo.DefaultProduceTopic(topic)).ProduceSync(within(t), &kgo.Record{Value: bad(1)}).FirstErr())
	allow(t, bootstrap,
		kadm.NewACLs().Topics(topic).Operations(kmsg.ACLOperationRead), kadm.NewACLs().Groups("connect-"+name).Operations(kmsg.ACLOperationRead))
	w := startWorker(t, kafka.BootstrapOf("SASL"), workerOptions{
		plugins: []connect.Plugin{newBasket().plugin()},
		props:   prefixed(config.Props{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.jaas.config": login("plain.PlainLoginModule", "ann-secret")}),
	})
	w.putOnly(name, letterSink(topic, dlq))
	trace := w.awaitFailed(name)
	assert.Contains(t, trace, "initialize dead letters")
	assert.Contains(t, trace, "AUTHORIZATION_FAILED")

	t.Log("the topic is there, and may be seen but not written to")
	makeTopic(t, bootstrap, dlq, 1)
	allow(t, bootstrap, kadm.NewACLs().Topics(dlq).Operations(kmsg.ACLOperationDescribe))
	w.restart(name)
	eventually(t, func() bool {
		trace = w.awaitFailed(name)
		return strings.Contains(trace, "the dead letter of the stage VALUE_CONVERTER")
	}, "the letter to be refused")
	assert.Contains(t, trace, "AUTHORIZATION_FAILED")
	assert.Equal(t, int64(-1), committed(t, kadm.NewClient(bare(t, bootstrap)), "connect-"+name, topic, 0))

	allow(t, bootstrap, kadm.NewACLs().Topics(dlq).Operations(kmsg.ACLOperationWrite))
	w.restart(name)
	awaitCommitted(t, bootstrap, "connect-"+name, topic, 0, 1)
	assert.Len(t, everything(t, bootstrap, dlq), 1)

	t.Log("the topic has to be created, and may be")
	second := unique("dlq")
	allow(t, bootstrap, kadm.NewACLs().Topics(second).Operations(kmsg.ACLOperationWrite, kmsg.ACLOperationCreate))
	w.put(name, letterSink(topic, second))
	eventually(t, func() bool {
		topics, err := kadm.NewClient(bare(t, bootstrap)).ListTopics(within(t), second)
		return err == nil && topics.Has(second)
	}, "the topic to be created")
}

// Brokers go away between a record and its letter: the letter waits, and the offset
// with it.
func TestDeadLettersWaitForBrokers(t *testing.T) {
	kafka := testenv.KafkaWith(t, testenv.KafkaOptions{Proxied: true})
	bootstrap, proxy := kafka.Bootstrap(), kafka.Node(0).Proxy()
	topic, dlq, name := unique("in"), unique("dlq"), unique("sink")
	makeTopic(t, bootstrap, topic, 1)
	require.NoError(t, bare(t, bootstrap, kgo.DefaultProduceTopic(topic)).ProduceSync(within(t), &kgo.Record{Value: []byte("1")}, &kgo.Record{Value: []byte("2")}).FirstErr())
	polled, broken := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(polled) }) // the record may come again
	reports := connecttest.SinkPlugin("Reports", func(config.Props) connecttest.SinkTask {
		var sink connect.SinkContext
		return connecttest.SinkTask{
			StartFunc: func(_ context.Context, c connect.SinkContext) error { sink = c; return nil },
			PutFunc: func(ctx context.Context, records []connect.SinkRecord) error {
				for i := range records {
					if records[i].Origin.Offset == 0 {
						first()
						<-broken
					}
					if err := sink.Report(ctx, &records[i], connect.ErrBadRequest); err != nil {
						return err
					}
				}
				return nil
			},
		}
	})
	w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{reports}})
	w.put(name, letterSink(topic, dlq).Merge(config.Props{"connector.class": "Reports", "value.converter": bytesConverter}))
	select {
	case <-polled:
	case <-within(t).Done():
		require.Fail(t, "no record arrives")
	}
	proxy.Break()
	close(broken)
	eventually(t, func() bool { return strings.Contains(w.log.String(), "not committing a partition this time") }, "a commit to wait for the letters")
	require.NoError(t, proxy.Restore())
	awaitCommitted(t, bootstrap, "connect-"+name, topic, 0, 2)
	assert.GreaterOrEqual(t, len(everything(t, bootstrap, dlq)), 2)
	assert.True(t, w.running(name))
}
