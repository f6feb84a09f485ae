package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// connectorFile is what a connector file asks for.
type connectorFile struct {
	path   string
	name   string
	props  config.Props
	target cluster.TargetState
}

// readConnectors reads the connector files. The error lists what is wrong with
// any of them.
func readConnectors(paths []string) ([]connectorFile, error) {
	var files []connectorFile
	var wrong problems
	first := make(map[string]string) // path by name
	for _, path := range paths {
		f, err := readConnector(path)
		if err != nil {
			wrong.add(err)
			continue
		}
		if other, ok := first[f.name]; ok {
			wrong.add(fmt.Errorf("%s: name: the connector %q is in %s already; names must differ", path, f.name, other))
			continue
		}
		first[f.name] = path
		files = append(files, f)
	}
	return files, wrong.orNil()
}

func readConnector(path string) (connectorFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return connectorFile{}, fmt.Errorf("connector file: %w", err)
	}
	f, err := parseConnector(data)
	if err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	f.path = path
	return f, nil
}

var errNoName = errors.New(`missing the mandatory "name" configuration`)

// parseConnector reads a connector file as Java's ConnectStandalone does: as a
// flat JSON object of texts, else as a request to create a connector, else as a
// properties file. A file that has an object of JSON in it is no properties
// file, though: what is wrong with it is said of its JSON.
func parseConnector(data []byte) (connectorFile, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		props, err := config.ParseProperties(bytes.NewReader(data))
		if err != nil {
			return connectorFile{}, err
		}
		return flat(props)
	}
	var object map[string]json.RawMessage
	if err := decodeFirst(data, &object); err != nil {
		return connectorFile{}, fmt.Errorf("neither JSON nor properties: %w", err)
	}
	var props config.Props
	err := decodeFirst(data, &props)
	if err == nil {
		return flat(props)
	}
	if _, ok := object["config"]; !ok {
		return connectorFile{}, err
	}
	return parseRequest(object)
}

// decodeFirst decodes the first JSON value of data. Like Java's parser it does
// not look at what follows.
func decodeFirst(data []byte, into any) error {
	return json.NewDecoder(bytes.NewReader(data)).Decode(into)
}

// flat makes the connector of a configuration that has its name in it.
func flat(props config.Props) (connectorFile, error) {
	name, ok := props.Get("name")
	if !ok || name == "" {
		return connectorFile{}, errNoName
	}
	return connectorFile{name: name, props: props}, nil
}

// parseRequest reads {"name", "config", "initial_state"}, the body of a request
// to create a connector. Other members are of no account, as in Java.
func parseRequest(object map[string]json.RawMessage) (f connectorFile, err error) {
	if err := json.Unmarshal(object["config"], &f.props); err != nil {
		return f, fmt.Errorf("config: %w", err)
	}
	if f.props == nil {
		return f, fmt.Errorf("config: found null, want an object of texts")
	}
	name, err := member(object, "name")
	if err != nil {
		return f, err
	}
	inside, ok := f.props.Get("name")
	switch {
	case !ok:
		f.props["name"] = name
	case name == "":
		name = inside
	case name != inside:
		return f, fmt.Errorf("name: found %q, and %q in config; both must be equal", name, inside)
	}
	if f.name = name; name == "" {
		return f, errNoName
	}
	state, err := member(object, "initial_state")
	if err != nil {
		return f, err
	}
	f.target, err = initialState(state)
	return f, err
}

// member returns a text of the request; "" if there is none.
func member(object map[string]json.RawMessage, key string) (string, error) {
	raw, ok := object[key]
	if !ok {
		return "", nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", fmt.Errorf("%s: found %s, want a text", key, raw)
	}
	return text, nil
}

// initialState is the target state that a request begins with.
func initialState(text string) (cluster.TargetState, error) {
	switch strings.ToUpper(text) {
	case "":
		return "", nil
	case "RUNNING":
		return cluster.TargetStarted, nil
	case "PAUSED":
		return cluster.TargetPaused, nil
	case "STOPPED":
		return cluster.TargetStopped, nil
	}
	return "", fmt.Errorf("initial_state: found %q, want RUNNING, PAUSED or STOPPED", text)
}
