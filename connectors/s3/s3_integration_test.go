//go:build integration

package s3

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/objectstore"
	"github.com/streamlane/connect/connectors/internal/objectstore/storetest"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/testenv"
)

// place is a bucket on a server.
type place struct {
	server *testenv.ObjectStore
	bucket string
	client *s3.Client
	// customerKey is what objects are encrypted by; nil: nothing.
	customerKey []byte
}

// newPlace makes a bucket.
func newPlace(t *testing.T, server *testenv.ObjectStore) *place {
	t.Helper()
	p := &place{server: server, bucket: fmt.Sprintf("b%d", rand.Uint64())}
	c := p.config(t, nil)
	var err error
	p.client, err = newClient(t.Context(), &c)
	require.NoError(t, err)
	_, err = p.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &p.bucket})
	require.NoError(t, err)
	return p
}

func (p *place) props() config.Props {
	return config.Props{
		"s3.bucket.name": p.bucket, "s3.region": "us-east-1", "store.url": p.server.URL,
		"aws.access.key.id": p.server.AccessKey, "aws.secret.access.key": p.server.SecretKey,
		"format.class": "JsonFormat", "flush.size": "10", "retry.backoff.ms": "50", "s3.retry.backoff.ms": "20", "s3.part.retries": "1",
	}
}

func (p *place) config(t testing.TB, more config.Props) Config {
	var c Config
	require.NoError(t, config.Decode(p.props().Merge(more), &c))
	return c
}

func (p *place) read(t testing.TB, key string) []byte {
	t.Helper()
	in := &s3.GetObjectInput{Bucket: &p.bucket, Key: &key}
	if p.customerKey != nil {
		in.SSECustomerAlgorithm, in.SSECustomerKey = aws.String("AES256"), aws.String(base64.StdEncoding.EncodeToString(p.customerKey))
		sum := md5.Sum(p.customerKey)
		in.SSECustomerKeyMD5 = aws.String(base64.StdEncoding.EncodeToString(sum[:]))
	}
	o, err := p.client.GetObject(t.Context(), in)
	require.NoError(t, err)
	defer o.Body.Close()
	body, err := io.ReadAll(o.Body)
	require.NoError(t, err)
	return body
}

func (p *place) keys(t testing.TB) []string {
	t.Helper()
	var keys []string
	pages := s3.NewListObjectsV2Paginator(p.client, &s3.ListObjectsV2Input{Bucket: &p.bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, o := range page.Contents {
			keys = append(keys, *o.Key)
		}
	}
	return keys
}

func servers(t *testing.T) map[string]*testenv.ObjectStore {
	return map[string]*testenv.ObjectStore{"versitygw": testenv.S3(t), "moto": testenv.Moto(t)}
}

func TestBucketIsABackend(t *testing.T) {
	for name, server := range servers(t) {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, server)
			c := p.config(t, config.Props{"s3.part.size": "5242880"})
			storetest.TestBackend(t, storetest.Options{
				Open: func(t *testing.T) objectstore.Backend {
					b, err := openBucket(t.Context(), &c, slog.New(slog.DiscardHandler))
					require.NoError(t, err)
					return b
				},
				Read:  func(t *testing.T, key string) []byte { return p.read(t, key) },
				Large: 12 << 20, Imitation: name == "moto",
			})
			uploads, err := p.client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &p.bucket})
			require.NoError(t, err)
			assert.Empty(t, uploads.Uploads, "uploads that came to nothing are aborted")
		})
	}
}

func TestConformance(t *testing.T) {
	p := newPlace(t, testenv.S3(t))
	connecttest.TestPlugin(t, Plugins()[0], p.props(), p.props().Merge(config.Props{"partitioner.class": "io.confluent.connect.storage.partitioner.HourlyPartitioner"}))
	connecttest.TestSinkTask(t, Plugins()[0], connecttest.SinkOptions{
		Props: config.Props{"flush.size": "5"},
		Prepare: func(t testing.TB) config.Props {
			p.bucket = fmt.Sprintf("b%d", rand.Uint64())
			_, err := p.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &p.bucket})
			require.NoError(t, err)
			return p.props().Merge(config.Props{"flush.size": "5"})
		},
		Written: func(t testing.TB, _ config.Props, records []connect.SinkRecord) {
			var want, got []string
			for i := range records {
				want = append(want, fmt.Sprintf("%q", records[i].Value.Value.String()))
			}
			for _, name := range []string{"topics/topic/partition=0/topic+0+0000000000.json", "topics/topic/partition=0/topic+0+0000000005.json"} {
				got = append(got, strings.Fields(strings.ReplaceAll(string(p.read(t, name)), "value ", "value_"))...)
			}
			for i := range want {
				want[i] = strings.ReplaceAll(want[i], "value ", "value_")
			}
			assert.Equal(t, want, got)
		},
	})
}

// A row is what the tests write.
func row(n int) connect.Record {
	return connect.Record{
		Key:   connect.Datum{Value: data.String(fmt.Sprint(n % 5))},
		Value: connect.Datum{Value: data.MapOf(data.Pair{Key: data.String("n"), Value: data.Int64(int64(n))}, data.Pair{Key: data.String("f"), Value: data.String(string(rune('a' + n%3)))})},
	}
}

// numbers returns all n in files of JSON, sorted.
func (p *place) numbers(t testing.TB) []int {
	t.Helper()
	var all []int
	for _, key := range p.keys(t) {
		if strings.Contains(key, ".keys.") || strings.Contains(key, ".headers.") {
			continue
		}
		for line := range bytes.Lines(p.read(t, key)) {
			var r struct{ N int }
			require.NoError(t, json.Unmarshal(line, &r), "%s: %s", key, line)
			all = append(all, r.N)
		}
	}
	slices.Sort(all)
	return all
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// The way to the store is cut, stalled and slow, the consumer is thrown out, the worker restarts: each record is there once.
func TestEachRecordOnceOnABadNetwork(t *testing.T) {
	p := newPlace(t, testenv.S3(t))
	proxy := testenv.Proxy(t, strings.TrimPrefix(p.server.URL, "http://"))
	h := connecttest.Sink(t, Plugins()[0], p.props().Merge(config.Props{
		"store.url": "http://" + proxy.Addr(), "s3.request.timeout.ms": "300", "flush.size": "9", "s3.conditional.writes": "true",
		"partitioner.class": "FieldPartitioner", "partition.field.name": "f", "rotate.idle.interval.ms": "50",
		"store.kafka.keys": "true", "keys.format.class": "JsonFormat",
	}))
	n := 0
	produce := func(count int) {
		for range count {
			h.Produce(row(n))
			n++
		}
	}
	for round := range 12 {
		produce(40)
		switch round % 6 {
		case 0:
			proxy.CloseAll()
		case 1:
			proxy.Break()
			h.Expel()
			produce(20)
			require.NoError(t, proxy.Restore())
		case 2:
			proxy.Delay(30 * time.Millisecond)
			h.Restart()
			proxy.Delay(0)
		case 3:
			proxy.Stall()
			produce(20)
			h.Expel()
			require.NoError(t, proxy.Restore())
		case 4:
			h.Expel()
			proxy.CloseAll()
		case 5:
			h.Flush()
		}
	}
	h.Flush()
	assert.Equal(t, upTo(n), p.numbers(t))
	values, keys := 0, 0
	for _, k := range p.keys(t) {
		if side, ok := strings.CutSuffix(k, ".keys.json"); ok {
			keys++
			assert.Equal(t, bytes.Count(p.read(t, side+".json"), []byte("\n")), bytes.Count(p.read(t, k), []byte("\n")), "keys are those of the values of %s", side)
		} else {
			values++
		}
	}
	assert.Equal(t, values, keys)
}

// What is asked of the store arrives there.
func TestObjectsAreAsConfigured(t *testing.T) {
	p := newPlace(t, testenv.Moto(t))
	h := connecttest.Sink(t, Plugins()[0], p.props().Merge(config.Props{
		"s3.storage.class": "STANDARD_IA", "s3.ssea.name": "aws:kms", "s3.sse.kms.key.id": "key-1", "s3.acl.canned": "bucket-owner-full-control",
		"s3.object.tagging": "true", "s3.object.tagging.key.value.pairs": "team:data,stage:test", "s3.object.behavior.on.tagging.error": "fail",
		"s3.send.digest": "true", "s3.compression.type": "gzip",
	}))
	for n := range 10 {
		h.Produce(row(n))
	}
	h.Flush()
	key := "topics/topic/partition=0/topic+0+0000000000.json.gz"
	require.Equal(t, []string{key}, p.keys(t))
	head, err := p.client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &p.bucket, Key: &key})
	require.NoError(t, err)
	assert.Equal(t, "STANDARD_IA", string(head.StorageClass))
	assert.Equal(t, "aws:kms", string(head.ServerSideEncryption))
	assert.Contains(t, aws.ToString(head.SSEKMSKeyId), "key-1")
	assert.Equal(t, map[string]string{
		"connect-topic": "topic", "connect-partition": "0", "connect-start-offset": "0", "connect-end-offset": "9", "connect-record-count": "10",
		"connect-name": connecttest.Name,
	}, head.Metadata)
	tags, err := p.client.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &p.bucket, Key: &key})
	require.NoError(t, err)
	got := map[string]string{}
	for _, tag := range tags.TagSet {
		got[*tag.Key] = *tag.Value
	}
	assert.Equal(t, map[string]string{"startOffset": "0", "endOffset": "9", "recordCount": "10", "team": "data", "stage": "test"}, got)
}
