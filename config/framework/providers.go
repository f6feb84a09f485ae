package framework

import (
	"fmt"
	"strings"

	"github.com/streamlane/connect/config"
)

// Provider makes the config provider that the declaration names: Java's file,
// directory and environment providers, by class, simple name or short form.
// environ is where the last one looks; nil: the process's environment.
func (p ProviderConfig) Provider(environ func() []string) (config.Provider, error) {
	simple := p.Class[strings.LastIndexByte(p.Class, '.')+1:]
	switch strings.ToLower(strings.TrimSuffix(simple, "ConfigProvider")) {
	case "file":
		var c config.FileProviderConfig
		if err := config.Decode(p.Params, &c); err != nil {
			return nil, p.wrap(err)
		}
		return config.NewFileProvider(c), nil
	case "directory":
		var c config.DirectoryProviderConfig
		if err := config.Decode(p.Params, &c); err != nil {
			return nil, p.wrap(err)
		}
		return config.NewDirectoryProvider(c), nil
	case "envvar", "env":
		c := config.EnvProviderConfig{Environ: environ}
		if err := config.Decode(p.Params, &c); err != nil {
			return nil, p.wrap(err)
		}
		made, err := config.NewEnvProvider(c)
		return made, p.wrap(err)
	}
	return nil, p.wrap(fmt.Errorf("class %q is no provider of this worker: want FileConfigProvider, DirectoryConfigProvider or EnvVarConfigProvider", p.Class))
}

func (p ProviderConfig) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("config.providers.%s: %w", p.Alias, err)
}
