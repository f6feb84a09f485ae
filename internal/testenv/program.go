package testenv

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// JavaProgram runs the Java program of one source file, with the jars that the
// pom.xml beside it names, and returns what it prints. It is for what only Java's
// own classes can say.
func JavaProgram(t testing.TB, source string, stdin []byte) []byte {
	t.Helper()
	needJava(t)
	dir, file := filepath.Split(source)
	pom, err := os.ReadFile(filepath.Join(dir, "pom.xml"))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(file)
	libs, err := installJars(t.Context(), name[:len(name)-len(filepath.Ext(name))], pom)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), java(), "-Xmx256m", "-XX:+UseSerialGC", "-cp", filepath.Join(libs, "*"), source)
	var out, log bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &log
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Run(); err != nil {
		t.Fatalf("java %s: %v\n%s", source, err, tail(log.String()))
	}
	return out.Bytes()
}
