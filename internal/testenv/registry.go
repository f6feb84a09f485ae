package testenv

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// registryJava is the oldest Java that runs Apicurio Registry.
const registryJava = 21

//go:embed poms/registry.xml
var registryPom []byte

// SchemaRegistry is a schema registry that runs.
type SchemaRegistry struct{ url string }

// URL is the base of Confluent's API: it has a path.
func (r *SchemaRegistry) URL() string { return r.url }

// registryServer is the process of [Registry].
type registryServer struct {
	process *process
	url     string
}

var sharedRegistry shared[*registryServer]

// Registry returns the schema registry that all tests of the binary share: Apicurio
// Registry, which keeps its schemas in memory and refuses what is not BACKWARD
// compatible, as Confluent's does. Give subjects names of their own. Where
// TESTENV_REGISTRY is set (a URL), that registry is used and nothing is started.
func Registry(t testing.TB) *SchemaRegistry {
	t.Helper()
	if url := os.Getenv("TESTENV_REGISTRY"); url != "" {
		return &SchemaRegistry{strings.TrimRight(url, "/")}
	}
	needJava(t)
	command, err := newerJava(t.Context(), registryJava)
	if err != nil {
		unavailable(t, err)
	}
	s := sharedRegistry.get(t, func(ctx context.Context) (*registryServer, func() error, error) { return startRegistry(ctx, command) })
	showLog(t, "the schema registry", s.process.dir, logSize(s.process.dir))
	return &SchemaRegistry{s.url}
}

func startRegistry(ctx context.Context, command string) (*registryServer, func() error, error) {
	app, err := installJars(ctx, "registry", registryPom)
	if err != nil {
		return nil, nil, err
	}
	dir, err := binary.folder("registry")
	if err != nil {
		return nil, nil, err
	}
	at, err := reserve()
	if err != nil {
		return nil, nil, err
	}
	s := &registryServer{url: "http://" + at.addr() + "/apis/ccompat/v7"}
	s.process, err = start(ctx, spec{
		name: "the schema registry",
		dir:  dir,
		argv: []string{
			command, "-Xms32m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
			"-Dquarkus.http.host=127.0.0.1", fmt.Sprintf("-Dquarkus.http.port=%d", at.number),
			"-Dapicurio.storage.kind=sql", "-Dapicurio.storage.sql.kind=h2", "-Dquarkus.log.level=WARN",
			"-Djava.util.logging.manager=org.jboss.logmanager.LogManager", "-jar", filepath.Join(app, "quarkus-run.jar"),
		},
		ready: httpOK(s.url + "/subjects"),
	})
	if err == nil {
		// Its own default is NONE.
		if err = put(ctx, s.url+"/config", `{"compatibility":"BACKWARD"}`); err != nil {
			err = errors.Join(err, s.process.kill())
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, at.release())
	}
	return s, func() error { return errors.Join(s.process.kill(), at.release()) }, nil
}

func put(ctx context.Context, url, body string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("PUT %s: %s", url, resp.Status)
	}
	return nil
}

// newerJava returns the java command of a JDK that is new enough: JAVA25_HOME's, the
// default one, or one that lies beside it.
func newerJava(ctx context.Context, atLeast int) (string, error) {
	candidates := []string{java()}
	if dir := os.Getenv("JAVA25_HOME"); dir != "" {
		candidates = []string{filepath.Join(dir, "bin", "java")}
	}
	candidates = append(candidates, besideJava()...)
	for _, command := range candidates {
		out, err := exec.CommandContext(ctx, command, "-version").CombinedOutput()
		if err != nil {
			continue
		}
		if version, err := javaVersion(string(out)); err == nil && version >= atLeast {
			return command, nil
		}
	}
	return "", fmt.Errorf("a Java %d or later is needed beside the default one (Debian 13: apt install openjdk-%d-jdk-headless; "+
		"else a Temurin in /usr/lib/jvm, or JAVA25_HOME)", atLeast, atLeast)
}

// besideJava returns the java commands of the JDKs that lie beside the default one,
// the newest by name first.
func besideJava() []string {
	folders := []string{"/usr/lib/jvm"}
	if path, err := exec.LookPath(java()); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(filepath.Dir(filepath.Dir(path)))) // of <JDK>/bin/java
		}
	}
	var commands []string
	for _, folder := range folders {
		found, err := filepath.Glob(filepath.Join(folder, "*", "bin", "java"))
		if err == nil {
			slices.Reverse(found)
			commands = append(commands, found...)
		}
	}
	return commands
}
