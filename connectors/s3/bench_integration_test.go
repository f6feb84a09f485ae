//go:build integration && linux

package s3

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/objectstore"
	"github.com/streamlane/connect/internal/testenv"
)

// BenchmarkSinkToS3 is BenchmarkSink with a store on the same machine, whose processor time is not in its figures.
func BenchmarkSinkToS3(b *testing.B) {
	p := &place{server: testenv.S3(b), bucket: fmt.Sprintf("b%d", rand.Uint64())}
	c := p.config(b, nil)
	var err error
	p.client, err = newClient(b.Context(), &c)
	require.NoError(b, err)
	_, err = p.client.CreateBucket(b.Context(), &s3.CreateBucketInput{Bucket: &p.bucket})
	require.NoError(b, err)
	for _, name := range []string{"json", "avro", "parquet"} {
		b.Run(name, func(b *testing.B) {
			run := p.config(b, config.Props{"topics.dir": fmt.Sprint(name, rand.Uint64())}) // a run writes its objects once
			benchmarkSink(b, benchmarked[name].Merge(config.Props{"topics.dir": run.TopicsDir}), 1, func(ctx context.Context, log *slog.Logger) (objectstore.Backend, error) {
				return openBucket(ctx, &run, log)
			})
		})
	}
}
