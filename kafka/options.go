package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/twmb/franz-go/pkg/kgo"
)

// dialFunc opens a connection to a broker.
type dialFunc func(ctx context.Context, network, host string) (net.Conn, error)

// Limits of the client beneath. Values beyond them are cut.
const (
	minRequestTimeout = 100 * time.Millisecond
	maxRequestTimeout = 15 * time.Minute
	maxIdle           = 15 * time.Minute
	maxMetadataAge    = time.Hour
	minMetadataAge    = time.Second           // between two attempts to load what is missing
	leastMetadataAge  = 10 * time.Millisecond // the client's own limit
	adminMetadataAge  = leastMetadataAge      // answers must know what was just created
	maxLinger         = time.Minute
	minFetchWait      = 10 * time.Millisecond
	maxMessageSize    = 1 << 30
)

// connOptions are the options that all clients share.
func (s *settings) connOptions(log *slog.Logger, dial dialFunc) ([]kgo.Opt, error) {
	c := &s.conn
	age := c.refreshAge()
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.bootstrap...),
		kgo.WithLogger(logger{l: log}),
		kgo.ConnIdleTimeout(min(max(c.idle, minRequestTimeout), maxIdle)),
		kgo.RequestTimeoutOverhead(min(max(c.request, minRequestTimeout), maxRequestTimeout)),
		kgo.RetryBackoffFn(backoff(c.backoff, c.backoffMax)),
		kgo.MetadataMaxAge(age),
		kgo.MetadataMinAge(min(minMetadataAge, age)),
	}
	if c.idle < 0 { // Java: never
		opts = append(opts, kgo.ConnIdleTimeout(maxIdle))
	}
	if s.clientID != "" {
		opts = append(opts, kgo.ClientID(s.clientID))
	}
	if s.rack != "" {
		opts = append(opts, kgo.Rack(s.rack))
	}
	if !c.pushMetrics {
		opts = append(opts, kgo.DisableClientMetrics())
	}
	var tlsConfig *tls.Config
	if c.protocol.tls() {
		var err error
		if tlsConfig, err = s.tls.Client(); err != nil {
			return nil, err
		}
	}
	opts = append(opts, kgo.Dialer(c.dialer(dial, tlsConfig)))
	if c.protocol.sasl() {
		m, err := s.sasl.build()
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.SASL(m))
	}
	return opts, nil
}

// refreshAge is the age at which metadata is fetched anew.
func (c *connSettings) refreshAge() time.Duration {
	return min(max(c.metadataAge, leastMetadataAge), maxMetadataAge)
}

// searchPause is the time between two attempts of a producer to load metadata that
// is missing or wrong: Java's is retry.backoff.ms as well. Consumers take longer
// over it, for many of them may be waiting for topics that do not exist.
func (c *connSettings) searchPause() time.Duration {
	return min(max(c.backoff, leastMetadataAge), c.refreshAge())
}

// dialer puts buffers, the time limit and TLS around dial.
func (c *connSettings) dialer(dial dialFunc, tlsConfig *tls.Config) dialFunc {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return func(ctx context.Context, network, host string) (net.Conn, error) {
		if c.setup > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, c.setup)
			defer cancel()
		}
		conn, err := dial(ctx, network, host)
		if err != nil {
			return nil, err
		}
		if t, ok := conn.(*net.TCPConn); ok {
			c.setBuffers(t)
		}
		if tlsConfig == nil {
			return conn, nil
		}
		own := tlsConfig.Clone()
		if own.ServerName == "" {
			own.ServerName = serverName(host)
		}
		secure := tls.Client(conn, own)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, handshakeError(host, err)
		}
		return secure, nil
	}
}

// handshakeError says what went wrong, and which keys are about it.
func handshakeError(host string, err error) error {
	wrapped := fmt.Errorf("TLS with %s: %w", host, err)
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		return wrapped
	}
	return both{connect.ErrAuth, fmt.Errorf("%w (whom to trust is in the keys ssl.truststore.*; "+
		"the name is not checked if ssl.endpoint.identification.algorithm is empty)", wrapped)}
}

// setBuffers sets the socket's buffers. A system that does not let us is no
// reason to go without the connection.
func (c *connSettings) setBuffers(t *net.TCPConn) {
	if c.receive >= 0 {
		_ = t.SetReadBuffer(c.receive)
	}
	if c.send >= 0 {
		_ = t.SetWriteBuffer(c.send)
	}
}

// backoff returns Java's ExponentialBackoff: doubled from first to last, give or
// take a fifth.
func backoff(first, last time.Duration) func(int) time.Duration {
	return func(failures int) time.Duration {
		d := min(first, last)
		for range min(max(failures-1, 0), 30) {
			if d *= 2; d >= last {
				d = last
				break
			}
		}
		return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
	}
}

// options are those of a producer.
func (p *producerSettings) options(s *settings) []kgo.Opt {
	batch := int32(min(max(p.maxRequest, 512), maxMessageSize))
	opts := []kgo.Opt{
		kgo.AllowAutoTopicCreation(), // Java's producers always do
		kgo.ProducerBatchMaxBytes(batch),
		kgo.BrokerMaxWriteBytes(max(batch, 100<<20)),
		kgo.ProducerLinger(min(p.linger, maxLinger)),
		kgo.ProducerBatchCompression(p.codec()),
		kgo.ProduceRequestTimeout(max(s.conn.request, minRequestTimeout)),
		kgo.RecordPartitioner(p.recordPartitioner()),
		kgo.MaxBufferedRecords(forever), // buffer.memory is kept by the producer itself
		kgo.MetadataMinAge(s.conn.searchPause()),
		kgo.UnknownTopicRetries(p.unknownTopicRetries(s.conn.searchPause())),
	}
	if s.retries != forever {
		opts = append(opts, kgo.RecordRetries(int(s.retries)))
	}
	if p.rackAware {
		opts = append(opts, kgo.RackAwarePartitioning())
	}
	switch {
	case p.txnID != "":
		opts = append(opts, kgo.TransactionalID(p.txnID), kgo.TransactionTimeout(p.txnTimeout))
	case !p.idempotence:
		opts = append(opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(p.inFlight), kgo.RequiredAcks(p.requiredAcks()))
	}
	return opts
}

// unknownTopicRetries turns max.block.ms, Java's limit for the wait for a topic's
// metadata, into attempts, which come a pause apart.
func (p *producerSettings) unknownTopicRetries(pause time.Duration) int {
	if p.block >= unending {
		return -1
	}
	return 1 + int(p.block/pause)
}

func (p *producerSettings) requiredAcks() kgo.Acks {
	switch p.acks {
	case "0":
		return kgo.NoAck()
	case "1":
		return kgo.LeaderAck()
	}
	return kgo.AllISRAcks()
}

// codec returns the compression with its level.
func (p *producerSettings) codec() kgo.CompressionCodec {
	switch p.compression {
	case "gzip":
		return kgo.GzipCompression().WithLevel(p.gzip)
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		if p.lz4 == 9 { // Java takes its fast compressor for the default
			return kgo.Lz4Compression()
		}
		return kgo.Lz4Compression().WithLevel(1 << (8 + min(p.lz4, 9)))
	case "zstd":
		level := 4
		for i, below := range []int{3, 6, 10} {
			if p.zstd < below {
				level = i + 1
				break
			}
		}
		return kgo.ZstdCompression().WithLevel(level)
	}
	return kgo.NoCompression()
}

// options are those of a consumer, what it reads aside.
func (c *consumerSettings) options() []kgo.Opt {
	isolation := kgo.ReadUncommitted()
	if c.isolation == "read_committed" {
		isolation = kgo.ReadCommitted()
	}
	fetchMax := int32(min(max(c.fetchMax, 1), maxMessageSize))
	opts := []kgo.Opt{
		kgo.FetchIsolationLevel(isolation),
		kgo.KeepControlRecords(),       // so that positions pass them
		kgo.KeepRetryableFetchErrors(), // so that topics that are gone are noticed
		kgo.FetchMaxBytes(fetchMax),
		kgo.BrokerMaxReadBytes(min(max(2*fetchMax, 100<<20), maxMessageSize)),
		kgo.FetchMaxPartitionBytes(int32(min(max(c.partitionMax, 1), maxMessageSize))),
		kgo.FetchMinBytes(int32(min(c.fetchMin, maxMessageSize))),
		kgo.FetchMaxWait(max(c.fetchWait, minFetchWait)),
		kgo.ConsumeResetOffset(c.resetOffset(time.Now())),
	}
	if c.autoCreate {
		opts = append(opts, kgo.AllowAutoTopicCreation())
	}
	if !c.checkCRCs {
		opts = append(opts, kgo.DisableFetchCRCValidation())
	}
	return opts
}

// groupOptions are those of a member of a group.
func (c *consumerSettings) groupOptions(group string) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.ConsumerGroup(group),
		kgo.DisableAutoCommit(),
		kgo.SessionTimeout(c.session),
		kgo.HeartbeatInterval(c.heartbeat),
		kgo.RebalanceTimeout(c.pollInterval),
		kgo.Balancers(c.balancers()...),
	}
	if c.instance != "" {
		opts = append(opts, kgo.InstanceID(c.instance))
	}
	return opts
}

// balancers returns the assignors in order of preference.
func (c *consumerSettings) balancers() []kgo.GroupBalancer {
	var all []kgo.GroupBalancer
	for _, class := range c.assignors {
		switch strings.TrimPrefix(class, assignorPackage) {
		case "RangeAssignor":
			all = append(all, kgo.RangeBalancer())
		case "RoundRobinAssignor":
			all = append(all, kgo.RoundRobinBalancer())
		case "StickyAssignor":
			all = append(all, kgo.StickyBalancer())
		case "CooperativeStickyAssignor":
			all = append(all, kgo.CooperativeStickyBalancer())
		}
	}
	return all
}

// resetOffset is where to go on when an offset is out of range.
func (c *consumerSettings) resetOffset(now time.Time) kgo.Offset {
	r, err := parseReset(c.reset)
	if err != nil { // checked when the settings were decoded
		return kgo.NoResetOffset()
	}
	switch r.kind {
	case resetLatest:
		return kgo.NewOffset().AtEnd()
	case resetNone:
		return kgo.NoResetOffset()
	case resetAgo:
		return kgo.NewOffset().AfterMilli(now.Add(-r.ago).UnixMilli())
	}
	return kgo.NewOffset().AtStart()
}
