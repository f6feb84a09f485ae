package cassandra

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/apache/cassandra-gocql-driver/v2/lz4"
	"github.com/apache/cassandra-gocql-driver/v2/snappy"

	"github.com/streamlane/connect/connectors/internal/cqlvalue"
)

// A session is the database as the task sees it. Its methods are safe for concurrent use.
type session interface {
	// table reads the columns of a table, anew.
	table(ctx context.Context, keyspace, name string) (*tableSchema, error)
	// prepare returns the parameters of a statement, and the places of the partition key's columns among them.
	prepare(ctx context.Context, cql string) (params []gocql.ColumnInfo, partition []int, err error)
	// execute sends one statement or one batch, once.
	execute(ctx context.Context, r *request) error
	// define changes the schema and waits until all nodes agree.
	define(ctx context.Context, cql string) error
	close()
}

// A request is one statement, or a batch of statements of one partition.
type request struct {
	level, serial gocql.Consistency // serial: 0 is the database's default
	writes        []*write
}

// cluster is a session with real nodes.
type cluster struct{ s *gocql.Session }

// openSession connects, and gives up when ctx ends.
func openSession(ctx context.Context, c *Config, log *slog.Logger) (*cluster, error) {
	conf, err := clusterConfig(c, log)
	if err != nil {
		return nil, err
	}
	d := &dialer{timeout: c.ConnectTimeout, opening: ctx}
	conf.Dialer = d
	s, err := conf.CreateSession()
	d.settle()
	if ctx.Err() != nil {
		if s != nil {
			s.Close()
		}
		return nil, fmt.Errorf("the nodes do not answer in time: %w", errors.Join(context.Cause(ctx), err))
	}
	if err != nil {
		return nil, err
	}
	return &cluster{s}, nil
}

// checkDC looks whether there is such a data centre. Without a name all is well, and the log tells if there are several.
func (c *cluster) checkDC(name string, log *slog.Logger) error {
	var found []string
	for _, h := range c.s.GetHosts() {
		found = append(found, h.DataCenter())
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if name == "" && len(found) > 1 {
		log.Warn("requests go to the nodes of all data centres, for loadBalancing.localDc is not set", "found", found)
	}
	if name != "" && !slices.Contains(found, name) {
		return keyError("loadBalancing.localDc", name, "there is no such data centre; the cluster has %s", strings.Join(found, ", "))
	}
	return nil
}

func clusterConfig(c *Config, log *slog.Logger) (*gocql.ClusterConfig, error) {
	points := c.ContactPoints
	if len(points) == 0 {
		points = []string{"127.0.0.1"}
	}
	types, err := cqlvalue.DriverTypes()
	if err != nil {
		return nil, err
	}
	conf := gocql.NewCluster(points...)
	conf.RegisteredTypes = types
	conf.Port, conf.NumConns = c.Port, c.PoolSize
	conf.Timeout, conf.ConnectTimeout = c.Timeout, c.ConnectTimeout
	conf.MaxWaitSchemaAgreement = c.Auto.Agreement
	conf.ReconnectInterval = 2 * time.Second
	conf.ReconnectionPolicy = &gocql.ConstantReconnectionPolicy{MaxRetries: 1, Interval: 100 * time.Millisecond}
	conf.Metadata.CacheMode = gocql.KeyspaceOnly
	conf.Consistency = gocql.LocalOne
	conf.Logger = driverLog{log}
	conf.MaxPreparedStmts = 10_000
	conf.ProtoVersion = c.driver.protocol
	switch c.Compression {
	case lz4Compression:
		conf.Compressor = &lz4.LZ4Compressor{}
	case snappyCompression:
		conf.Compressor, conf.ProtoVersion = &snappy.SnappyCompressor{}, 4
	}
	if c.Auth.Provider == plainProvider {
		conf.Authenticator = gocql.PasswordAuthenticator{Username: c.Auth.Username, Password: c.Auth.Password.Reveal()}
	}
	made, err := c.TLS.config()
	if err != nil {
		return nil, err
	}
	if made != nil {
		conf.SslOpts = &gocql.SslOptions{Config: made}
	}
	local := gocql.RoundRobinHostPolicy()
	if c.LocalDC != "" {
		local = gocql.DCAwareRoundRobinPolicy(c.LocalDC)
	}
	conf.PoolConfig.HostSelectionPolicy = routing{gocql.TokenAwareHostPolicy(local, gocql.ShuffleReplicas())}
	return conf, nil
}

// routing tells the driver's policy the keyspace of batches, which it needs to find their replicas. (To set it on the batch would send it to the nodes,
// which warn of it.)
type routing struct{ gocql.HostSelectionPolicy }

// Pick implements gocql.HostSelectionPolicy.
func (p routing) Pick(q gocql.ExecutableStatement) gocql.NextHost {
	if q != nil {
		if b, ok := q.Statement().(*gocql.Batch); ok && len(b.Entries) > 0 {
			q = routed{q, keyspaceOf(b.Entries[0].Stmt)}
		}
	}
	return p.HostSelectionPolicy.Pick(q)
}

// keyspaceOf returns the keyspace of a statement of a plan's making: the first name in quotes.
func keyspaceOf(cql string) string {
	_, rest, _ := strings.Cut(cql, `"`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}

type routed struct {
	gocql.ExecutableStatement
	keyspace string
}

// Keyspace implements gocql.ExecutableStatement.
func (r routed) Keyspace() string { return r.keyspace }

// A dialer opens the connections of a session. While that opens, the end of its context ends them: the driver's own opening knows no context.
type dialer struct {
	timeout time.Duration
	opening context.Context

	mu      sync.Mutex
	settled bool
	stops   []func() bool
}

// DialContext implements gocql.Dialer.
func (d *dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	settled := d.settled
	d.mu.Unlock()
	if !settled && d.opening.Err() != nil {
		return nil, context.Cause(d.opening)
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	if !settled {
		defer context.AfterFunc(d.opening, cancel)()
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.settled {
		d.stops = append(d.stops, context.AfterFunc(d.opening, func() { _ = conn.Close() }))
	}
	return conn, nil
}

// settle leaves the connections to the session.
func (d *dialer) settle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settled = true
	for _, stop := range d.stops {
		stop()
	}
	d.stops = nil
}

// driverLog shows what the driver logs: what it calls errors as warnings, for the task tries again, the rest to debug.
type driverLog struct{ log *slog.Logger }

func (l driverLog) write(level slog.Level, msg string, fields []gocql.LogField) {
	if !l.log.Enabled(context.Background(), level) {
		return
	}
	args := make([]any, 0, 2*len(fields))
	for _, f := range fields {
		args = append(args, f.Name, f.Value.String())
	}
	l.log.Log(context.Background(), level, "driver: "+msg, args...)
}

func (l driverLog) Error(msg string, fields ...gocql.LogField) { l.write(slog.LevelWarn, msg, fields) }
func (l driverLog) Warning(msg string, fields ...gocql.LogField) {
	l.write(slog.LevelDebug, msg, fields)
}
func (l driverLog) Info(msg string, fields ...gocql.LogField) { l.write(slog.LevelDebug, msg, fields) }
func (l driverLog) Debug(string, ...gocql.LogField)           {}

func (c *cluster) close() { c.s.Close() }

func (c *cluster) execute(ctx context.Context, r *request) error {
	if len(r.writes) == 1 {
		w := r.writes[0]
		q := c.s.Query(w.stmt.cql, w.values...).Consistency(r.level)
		if r.serial != 0 {
			q.SerialConsistency(r.serial)
		}
		if w.stmt.stamped && w.micros != 0 {
			q.WithTimestamp(w.micros)
		}
		return q.ExecContext(ctx)
	}
	b := c.s.Batch(gocql.UnloggedBatch).Consistency(r.level)
	b.Entries = make([]gocql.BatchEntry, 0, len(r.writes))
	for _, w := range r.writes {
		b.Query(w.stmt.cql, w.values...)
	}
	return b.ExecContext(ctx)
}

func (c *cluster) prepare(ctx context.Context, cql string) ([]gocql.ColumnInfo, []int, error) {
	meta, err := c.s.StatementMetadata(ctx, cql, "")
	if err != nil {
		return nil, nil, err
	}
	return meta.BindColumns, meta.PKBindColumnIndexes, nil
}

func (c *cluster) define(ctx context.Context, cql string) error {
	if err := c.s.Query(cql).Consistency(gocql.LocalOne).ExecContext(ctx); err != nil {
		return fmt.Errorf("%s: %w", cql, err)
	}
	if err := c.s.AwaitSchemaAgreement(ctx); err != nil {
		return fmt.Errorf("%s: the nodes do not agree within schema.agreement.timeout.ms: %w", cql, err)
	}
	return nil
}
