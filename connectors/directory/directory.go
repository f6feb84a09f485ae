package directory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/objectstore"
)

const version = "1.0.0"

// Plugin is the sink, DirectorySink, with the formats that need no library: JSON, CSV and bytes. Package full has it with all formats.
func Plugin() connect.Plugin { return connect.Sink(Info(), newConnector, NewTask) }

// Info says what the sink is.
func Info() connect.Info {
	return connect.Info{Class: "DirectorySink", Version: version, Doc: "Writes files of records into a folder."}
}

// A Config configures the sink.
type Config struct {
	objectstore.Config
	Formats objectstore.FormatConfig
	// Directory is the folder.
	Directory string
}

// Describe declares the keys.
func (c *Config) Describe(d *config.Def) {
	config.String(d, &c.Directory, "directory").Importance(config.High).Check(config.NonEmpty()).
		Doc("Folder that the files are written to, which is created if need be.")
	config.Int(d, &c.FlushSize, "flush.size").Default(1000).Importance(config.High).Check(config.AtLeast(1)).
		Doc("Number of records of a Kafka partition at which its open files end, all of them.")
	c.Formats.Default = objectstore.JSONFormat
	c.Formats.Describe(d)
	c.Config.Describe(d)
}

// Check checks what no single key can say.
func (c *Config) Check() error {
	errs := []error{c.Config.Check(), c.Formats.CheckFor(&c.Config)}
	if c.DirectoryDelim != "/" {
		errs = append(errs, &config.KeyError{Key: "directory.delim", Value: c.DirectoryDelim, Err: errors.New("must be / here")})
	}
	return errors.Join(errs...)
}

// Probe looks whether the folder can be written to, or created.
func (c *Config) Probe(context.Context) error {
	for dir := filepath.Clean(c.Directory); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if errors.Is(err, os.ErrNotExist) && dir != filepath.Dir(dir) {
			continue // it will be created
		}
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is no folder", dir)
		}
		if err == nil {
			var f *os.File
			if f, err = os.CreateTemp(dir, ".connect-probe-*"); err == nil {
				err = errors.Join(f.Close(), os.Remove(f.Name()))
			}
		}
		if err != nil {
			return &config.KeyError{Key: "directory", Value: c.Directory, Err: fmt.Errorf("cannot be written to: %w", err)}
		}
		return nil
	}
}

// A TaskConfig is a Config with the name of the connector.
type TaskConfig struct {
	Config
	// Name of the connector; it is in the metadata of files.
	Name string
}

// Describe declares the keys.
func (c *TaskConfig) Describe(d *config.Def) {
	c.Config.Describe(d)
	config.String(d, &c.Name, "name").Default("").Doc("Name of the connector.")
}

func newConnector(c Config) (*objectstore.Connector[TaskConfig], error) {
	return objectstore.NewConnector(func(name string) TaskConfig { return TaskConfig{c, name} }), nil
}

// NewTask makes a task, with the formats of its configuration.
func NewTask(c TaskConfig) (*objectstore.Task, error) {
	o := objectstore.Options{Config: c.Config.Config, Connector: c.Name, Open: func(_ context.Context, log *slog.Logger) (objectstore.Backend, error) {
		return objectstore.OpenLocal(c.Directory, objectstore.LocalOptions{Owner: c.Name, Log: log})
	}}
	if err := c.Formats.Set(&o); err != nil {
		return nil, err
	}
	return objectstore.NewTask(o)
}
