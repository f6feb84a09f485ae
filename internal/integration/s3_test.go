//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect/internal/testenv"
)

// theSink is the configuration of a user of Confluent's connector, without one key more.
const theSink = `{
  "name": "s3-sink",
  "config": {
    "connector.class": "io.confluent.connect.s3.S3SinkConnector",
    "topics": "events",
    "s3.bucket.name": "data-lake",
    "s3.region": "us-east-1",
    "format.class": "io.confluent.connect.s3.format.parquet.ParquetFormat",
    "flush.size": "10000"
  }
}`

// The configuration works as it stands, on a real cluster, by the requests that users send, where the environment says where the store is. The
// worker is killed on the way; DuckDB finds each record once.
func TestS3SinkAsItStands(t *testing.T) {
	store := testenv.S3(t)
	python := testenv.Python(t, "duckdb==2.0.1")
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(store.URL), UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider(store.AccessKey, store.SecretKey, ""),
	})
	bucket := aws.String("data-lake")
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket})
	require.NoError(t, err)
	for key, value := range map[string]string{"AWS_ENDPOINT_URL_S3": store.URL, "AWS_ACCESS_KEY_ID": store.AccessKey, "AWS_SECRET_ACCESS_KEY": store.SecretKey} {
		t.Setenv(key, value)
	}
	kafka := testenv.Kafka(t)
	w := testenv.GoConnect(t, kafka, testenv.WorkerOptions{Properties: map[string]string{ // a worker that was killed is missed soon
		"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000", "consumer.session.timeout.ms": "6000", "consumer.heartbeat.interval.ms": "1000",
	}})
	peer := restPeer{t, w.URL()}
	send := func(method, path string, body []byte) string {
		t.Helper()
		if body == nil {
			return peer.do(method, path, nil).text // no body, rather than an empty one
		}
		return peer.do(method, path, body).text
	}
	writer := bare(t, kafka.Bootstrap(), kgo.DefaultProduceTopic("events"))
	adm := kadm.NewClient(writer)
	_, err = adm.CreateTopic(within(t), 1, 1, nil, "events")
	require.NoError(t, err)
	n := 0
	produce := func(count int) {
		t.Helper()
		var records []*kgo.Record
		for range count {
			records = append(records, &kgo.Record{Value: fmt.Appendf(nil, `{"schema":{"type":"struct","name":"Event","fields":[{"field":"id","type":"int64"},{"field":"what","type":"string"}]},"payload":{"id":%d,"what":"event %d"}}`, n, n%10)})
			n++
		}
		require.NoError(t, writer.ProduceSync(within(t), records...).FirstErr())
	}
	keys := func() (all []string) {
		page, err := client.ListObjectsV2(within(t), &s3.ListObjectsV2Input{Bucket: bucket})
		require.NoError(t, err)
		for _, o := range page.Contents {
			all = append(all, *o.Key)
		}
		return all
	}
	const first, second = "topics/events/partition=0/events+0+0000000000.snappy.parquet", "topics/events/partition=0/events+0+0000010000.snappy.parquet"
	produce(25_000)
	send(http.MethodPost, "/connectors", []byte(theSink))
	eventually(t, func() bool { return len(keys()) == 2 }, "two objects")
	assert.Equal(t, []string{first, second}, keys())
	eventually(t, func() bool { return committed(t, adm, "connect-s3-sink", "events", 0) == 20_000 }, "the offset behind the second")
	assert.Contains(t, send(http.MethodGet, "/connectors/s3-sink/status", nil), `"state":"RUNNING"`)
	send(http.MethodPut, "/connectors/s3-sink/pause", nil)
	eventually(t, func() bool {
		return strings.Contains(send(http.MethodGet, "/connectors/s3-sink/status", nil), `"state":"PAUSED"`)
	}, "the connector to pause")
	send(http.MethodPut, "/connectors/s3-sink/resume", nil)
	w.Kill()
	produce(5_000)
	w.Start()
	eventually(t, func() bool { return len(keys()) == 3 }, "the third object")
	var put struct{ Config map[string]string }
	require.NoError(t, json.Unmarshal([]byte(theSink), &put))
	put.Config["flush.size"] = "50"
	changed, err := json.Marshal(put.Config)
	require.NoError(t, err)
	send(http.MethodPut, "/connectors/s3-sink/config", changed)
	produce(50)
	eventually(t, func() bool { return committed(t, adm, "connect-s3-sink", "events", 0) == int64(n) }, "all records to be committed")

	dir := t.TempDir()
	for i, key := range keys() {
		o, err := client.GetObject(within(t), &s3.GetObjectInput{Bucket: bucket, Key: &key})
		require.NoError(t, err)
		body, err := io.ReadAll(o.Body)
		require.NoError(t, err)
		require.NoError(t, o.Body.Close())
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprint(i, ".parquet")), body, 0o600))
	}
	out, err := exec.CommandContext(within(t), python, "-c", `import duckdb
print(duckdb.sql("select count(*), count(distinct id), min(id), max(id), count(distinct what) from read_parquet('`+dir+`/*')").fetchall())`).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, fmt.Sprintf("[(%d, %d, 0, %d, 10)]\n", n, n, n-1), string(out))
}
