package cassandra

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

const version = "1.0.0"

// Plugins returns the sink: CassandraSink, which stands for DataStax' connector.
func Plugins() []connect.Plugin {
	return []connect.Plugin{plugin(newTask)}
}

func plugin(build func(Config) (*task, error)) connect.Plugin {
	return connect.Sink(connect.Info{
		Class:   "CassandraSink",
		Version: version,
		Doc:     "Writes records to tables of Cassandra and databases that speak its protocol.",
		StandsFor: []connect.JavaClass{
			{Class: "com.datastax.oss.kafka.sink.CassandraSinkConnector", Task: "com.datastax.oss.kafka.sink.CassandraSinkTask"},
			{Class: "com.datastax.kafkaconnector.DseSinkConnector", Task: "com.datastax.kafkaconnector.DseSinkTask"},
		},
	}, newConnector, build)
}

// connector has as many equal tasks as are allowed.
type connector struct {
	cfg Config
	ctx connect.ConnectorContext
}

func newConnector(c Config) (*connector, error) { return &connector{cfg: c}, nil }

func (c *connector) Start(_ context.Context, ctx connect.ConnectorContext) error {
	c.ctx = ctx
	return nil
}

// TaskConfigs gives every task the whole configuration.
func (c *connector) TaskConfigs(_ context.Context, max int) ([]Config, error) {
	tasks := make([]Config, max)
	for i := range tasks {
		tasks[i] = c.cfg
	}
	return tasks, nil
}

// RawTaskConfigs implements connect.RawTaskConfigs: a Java worker takes the same configurations.
func (c *connector) RawTaskConfigs(_ context.Context, max int) ([]config.Props, error) {
	tasks := make([]config.Props, max)
	for i := range tasks {
		tasks[i] = c.ctx.Props().Clone()
	}
	return tasks, nil
}

func (c *connector) Stop(context.Context) error { return nil }

// probeTime bounds what validation waits.
const probeTime = 15 * time.Second

// Probe connects and looks at the tables.
func (c *Config) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, probeTime, errors.New("the cluster does not answer within "+probeTime.String()))
	defer cancel()
	log := slog.New(slog.DiscardHandler)
	one := *c
	one.PoolSize = 1
	db, err := openSession(ctx, &one, log)
	if err != nil {
		return c.blame(err)
	}
	defer db.close()
	return c.look(ctx, db, db.checkDC(c.LocalDC, log))
}

// look reads the tables of the configuration.
func (c *Config) look(ctx context.Context, db session, errs ...error) error {
	tables := c.tables
	for _, topic := range c.Topics {
		if len(c.tablesOf(topic)) == 1 && c.tablesOf(topic)[0].mapping == "" && !c.configured(topic) {
			tables = append(tables[:len(tables):len(tables)], c.autoTable(topic))
		}
	}
	for _, cfg := range tables {
		_, err := newTarget(0, cfg, c.codecs[cfg.topic], c.driver.serial).read(ctx, db)
		auto := cfg.mapping == "" && (c.Auto.Create && errors.Is(err, errNoTable))
		switch {
		case err == nil, auto:
		case !c.configured(cfg.topic) && errors.Is(err, errNoKeyspace):
			errs = append(errs, keyError("keyspace", c.Auto.Keyspace, "%w", err))
		case !c.configured(cfg.topic) && errors.Is(err, errNoTable):
			errs = append(errs, keyError("table.name", c.Auto.Table, "%w; create it, or set auto.create=true", err))
		default:
			errs = append(errs, blameTable(cfg, err))
		}
	}
	return errors.Join(errs...)
}

// configured tells whether a topic has keys of its own for a table.
func (c *Config) configured(topic string) bool {
	for _, t := range c.tables {
		if t.topic == topic {
			return true
		}
	}
	return false
}

// blame names the key that a failed connection is about.
func (c *Config) blame(err error) error {
	if keys, _ := config.KeyErrors(err); len(keys) > 0 {
		return err
	}
	text := strings.ToLower(err.Error())
	points := strings.Join(c.ContactPoints, ",")
	switch {
	case strings.Contains(text, "authentication required"), strings.Contains(text, "authenticator"):
		return keyError("auth.provider", c.Auth.Provider, "the cluster asks for a user: %w", err)
	case strings.Contains(text, "username") && strings.Contains(text, "password"), strings.Contains(text, "credentials"):
		return keyError("auth.password", "", "the cluster refuses user %q with this password: %w", c.Auth.Username, err)
	case strings.Contains(text, "x509"), strings.Contains(text, "tls:"), strings.Contains(text, "certificate"):
		return keyError("ssl.truststore.path", c.TLS.TrustStore, "no TLS connection comes about: %w", err)
	case strings.Contains(text, "tried versions"), strings.Contains(text, "eof"), strings.Contains(text, "unexpected frame"):
		return keyError("contactPoints", points, "what answers at port %d does not speak the protocol as it is set up (TLS?): %w", c.Port, err)
	}
	return keyError("contactPoints", points, "no node can be reached at port %d: %w", c.Port, err)
}
