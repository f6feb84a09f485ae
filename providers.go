package connect

import (
	"fmt"
	"strings"

	"github.com/streamlane/connect/config"
)

// newProvider makes the config provider that config.providers.<alias>.class
// names: file, directory or env, or Java's class for it.
func newProvider(class string, params config.Props) (config.Provider, error) {
	short := strings.TrimSuffix(class[strings.LastIndexByte(class, '.')+1:], "ConfigProvider")
	switch strings.ToLower(short) {
	case "file":
		var c config.FileProviderConfig
		if err := config.Decode(params, &c); err != nil {
			return nil, err
		}
		return config.NewFileProvider(c), nil
	case "directory":
		var c config.DirectoryProviderConfig
		if err := config.Decode(params, &c); err != nil {
			return nil, err
		}
		return config.NewDirectoryProvider(c), nil
	case "env", "envvar":
		var c config.EnvProviderConfig
		if err := config.Decode(params, &c); err != nil {
			return nil, err
		}
		return config.NewEnvProvider(c)
	}
	return nil, fmt.Errorf("class %q is no provider: want FileConfigProvider, DirectoryConfigProvider or EnvVarConfigProvider; others are given in Options.Providers", class)
}
