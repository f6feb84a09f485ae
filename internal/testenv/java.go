package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

const (
	javaAtLeast  = 17
	installLimit = 10 * time.Minute
	// mavenCopy copies the jars that a pom names into a folder.
	mavenCopy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
)

// needJava skips the test on a machine without Java and Maven, or fails it where
// TESTENV=require.
func needJava(t testing.TB) {
	t.Helper()
	if err := findJava(t.Context()); err != nil {
		unavailable(t, err)
	}
}

// unavailable ends a test whose server cannot be had on this machine: skipped,
// or failed where TESTENV=require.
func unavailable(t testing.TB, why error) {
	t.Helper()
	if os.Getenv("TESTENV") == "require" {
		t.Fatalf("TESTENV=require: %v", why)
	} else {
		t.Skipf("real servers: %v", why)
	}
}

// findJava says what is missing to run and install Java servers.
func findJava(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, java(), "-version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("Java %d or later is needed (Debian: apt install default-jdk-headless): %w", javaAtLeast, err)
	}
	version, err := javaVersion(string(out))
	if err != nil {
		return err
	}
	if version < javaAtLeast {
		return fmt.Errorf("Java %d or later is needed, found %d (set JAVA_HOME to choose another)", javaAtLeast, version)
	}
	if _, err := exec.LookPath("mvn"); err != nil {
		return fmt.Errorf("Maven is needed to fetch servers (Debian: apt install maven): %w", err)
	}
	return nil
}

var versionPattern = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

// javaVersion reads the feature release out of what java -version prints: 8 of
// "1.8.0_402", 17 of "17.0.15".
func javaVersion(printed string) (int, error) {
	m := versionPattern.FindStringSubmatch(printed)
	if m == nil {
		return 0, fmt.Errorf("no version in what java -version prints: %q", printed)
	}
	return strconv.Atoi(m[1])
}

// java returns the java command: JAVA_HOME's, or the first on the path.
func java() string {
	if dir := os.Getenv("JAVA_HOME"); dir != "" {
		return filepath.Join(dir, "bin", "java")
	}
	return "java"
}

// jvm is the command line of a Java program.
type jvm struct {
	libs       string // folder of jars
	heap       string // as of -Xmx
	properties []string
	main       string
	args       []string
}

// argv returns the command line. Serial collection and the first compiler alone
// make servers start faster and stay smaller, which is what tests want.
func (j jvm) argv() []string {
	argv := []string{java(), "-Xms32m", "-Xmx" + j.heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}
	argv = append(argv, j.properties...)
	argv = append(argv, "-cp", filepath.Join(j.libs, "*"), j.main)
	return append(argv, j.args...)
}

// installJars returns a folder with the jars that a pom names, fetched by Maven
// the first time. The folder's name holds a hash of the pom, so a changed pin is
// another folder. Test binaries that install at once wait for the first.
func installJars(ctx context.Context, name string, pom []byte) (string, error) {
	return install(ctx, name, string(pom), func(ctx context.Context, part string) error { return fetchJars(ctx, part, pom) })
}

// fetchJars has Maven copy jars into a folder, and unpacks archives.
func fetchJars(ctx context.Context, libs string, pom []byte) (err error) {
	project, err := os.MkdirTemp(filepath.Dir(libs), filepath.Base(libs)+".pom-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(project)) }()
	file := filepath.Join(project, "pom.xml")
	if err := os.WriteFile(file, pom, 0o644); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "mvn", "-B", "-q", "-ntp", "-f", file, mavenCopy,
		"-DoutputDirectory="+libs, "-DincludeScope=runtime").CombinedOutput()
	if err != nil {
		return fmt.Errorf("mvn %s: %w\n%s", mavenCopy, err, tail(string(out)))
	}
	return unpackAll(libs)
}
