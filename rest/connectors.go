package rest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// Java's words for a connector that is not there. They differ by endpoint.
const (
	messageNoConnector      = "Connector %s not found"
	messageUnknown          = "Unknown connector %s"
	messageUnknownToRestart = "Unknown connector: %s"
)

// connectorInfo is Java's ConnectorInfo.
type connectorInfo struct {
	Name   string       `json:"name"`
	Config config.Props `json:"config"`
	Tasks  []taskID     `json:"tasks"`
	Type   string       `json:"type"`
}

// taskID is Java's ConnectorTaskId.
type taskID struct {
	Connector string `json:"connector"`
	Task      int    `json:"task"`
}

func (s *server) infoOf(c *cluster.Connector) connectorInfo {
	info := connectorInfo{Name: c.Name, Config: c.Props, Tasks: make([]taskID, len(c.Tasks)), Type: s.plugins.typeOf(c.Props)}
	for i := range c.Tasks {
		info.Tasks[i] = taskID{c.Name, i}
	}
	return info
}

// listConnectors is GET /connectors.
func (s *server) listConnectors(ctx context.Context, c *call) (answer, error) {
	names, err := s.rt.Connectors(ctx)
	if err != nil {
		return answer{}, err
	}
	if !c.query.Has("expand") {
		return ok(append([]string{}, names...))
	}
	expanded := make(map[string]map[string]any, len(names))
	for _, name := range names {
		about, err := s.expand(ctx, name, c.query["expand"])
		if errors.Is(err, connect.ErrNotFound) {
			continue // deleted meanwhile, or without a state yet
		}
		if err != nil {
			return answer{}, err
		}
		expanded[name] = about
	}
	return ok(expanded)
}

// expand returns what was asked for about a connector. Unknown words count for
// nothing.
func (s *server) expand(ctx context.Context, name string, what []string) (map[string]any, error) {
	about := make(map[string]any)
	for _, word := range what {
		switch word {
		case "status":
			status, err := s.rt.Status(ctx, name)
			if err != nil {
				return nil, err
			}
			about[word] = s.stateOf(status)
		case "info":
			c, err := s.rt.Connector(ctx, name)
			if err != nil {
				return nil, err
			}
			about[word] = s.infoOf(c)
		}
	}
	return about, nil
}

// getConnector is GET /connectors/{name}.
func (s *server) getConnector(ctx context.Context, c *call) (answer, error) {
	found, err := s.rt.Connector(ctx, c.name())
	if err != nil {
		return answer{}, notFound(err, messageNoConnector, c.name())
	}
	return ok(s.infoOf(found))
}

// getConfig is GET /connectors/{name}/config.
func (s *server) getConfig(ctx context.Context, c *call) (answer, error) {
	found, err := s.rt.Connector(ctx, c.name())
	if err != nil {
		return answer{}, notFound(err, messageNoConnector, c.name())
	}
	return ok(found.Props)
}

// A createRequest is Java's CreateConnectorRequest.
type createRequest struct {
	name   string
	props  config.Props
	target cluster.TargetState // "": running
}

func parseCreateRequest(body []byte) (createRequest, error) {
	const entity = "CreateConnectorRequest"
	var r createRequest
	fields, err := parseObject(body, entity)
	if err != nil {
		return r, err
	}
	if err := knownOnly(fields, entity, "config", "name", "initial_state"); err != nil {
		return r, err
	}
	if r.name, _, err = text(fields["name"]); err != nil {
		return r, err
	}
	r.name = strings.TrimSpace(r.name)
	state, given, err := text(fields["initial_state"])
	if err != nil {
		return r, err
	}
	if r.target, err = initialState(state, given); err != nil {
		return r, err
	}
	if fields["config"] == nil {
		return r, badRequest("The request has no config; a JSON object with the connector's configuration is expected")
	}
	r.props, err = props(fields["config"])
	return r, err
}

// initialState returns the target state that a new connector has (KIP-980).
func initialState(word string, given bool) (cluster.TargetState, error) {
	switch word = strings.ToUpper(word); {
	case !given || word == "RUNNING":
		return "", nil
	case word == string(cluster.TargetPaused), word == string(cluster.TargetStopped):
		return cluster.TargetState(word), nil
	}
	return "", unreadable("Cannot construct instance of `CreateConnectorRequest$InitialState`, problem: %q is none of RUNNING, PAUSED, STOPPED", word)
}

// named returns the configuration with the connector's name in it. Any other
// name is refused.
func named(props config.Props, name string) (config.Props, error) {
	if other, given := props.Get("name"); given && other != name {
		return nil, badRequest("Connector name configuration (%s) doesn't match connector name in the URL (%s)", other, name)
	}
	props = props.Clone()
	props["name"] = name
	return props, withClass(props)
}

// withClass refuses a configuration that does not say what connector it is for.
func withClass(props config.Props) error {
	if _, given := props.Get("connector.class"); given {
		return nil
	}
	masked := props.Masked()
	var b strings.Builder
	for i, key := range masked.Keys() {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s=%s", key, strings.ReplaceAll(masked[key], config.Null, "null"))
	}
	return badRequest("Connector config {%s} contains no connector type", b.String())
}

// createConnector is POST /connectors.
func (s *server) createConnector(ctx context.Context, c *call) (answer, error) {
	r, err := parseCreateRequest(c.body)
	if err != nil {
		return answer{}, err
	}
	props, err := named(r.props, r.name)
	if err != nil {
		return answer{}, err
	}
	if r.name == "" { // the validator of the key name has the right words
		result, err := s.rt.Validate(ctx, props)
		if err == nil {
			err = &connect.InvalidConfigError{Result: result}
		}
		return answer{}, s.explain(err, props)
	}
	err = s.rt.CreateConnector(ctx, r.name, props, r.target)
	if errors.Is(err, connect.ErrExists) {
		err = failure(http.StatusConflict, err, "Connector %s already exists", r.name)
	}
	if err != nil {
		return answer{}, s.explain(err, props)
	}
	return s.stored(ctx, r.name, props, true), nil
}

// putConfig is PUT /connectors/{name}/config.
func (s *server) putConfig(ctx context.Context, c *call) (answer, error) {
	props, err := parseProps(c.body)
	if err != nil {
		return answer{}, err
	}
	if props, err = named(props, c.name()); err != nil {
		return answer{}, err
	}
	created, err := s.rt.PutConnector(ctx, c.name(), props)
	if err != nil {
		return answer{}, s.explain(err, props)
	}
	return s.stored(ctx, c.name(), props, created), nil
}

// patchConfig is PATCH /connectors/{name}/config.
func (s *server) patchConfig(ctx context.Context, c *call) (answer, error) {
	patch, err := parseProps(c.body)
	if err != nil {
		return answer{}, err
	}
	if err := s.rt.PatchConnector(ctx, c.name(), patch); err != nil {
		found, unknown := s.rt.Connector(ctx, c.name())
		if unknown != nil {
			return answer{}, notFound(err, messageNoConnector, c.name())
		}
		merged := found.Props.Merge(patch)
		maps.DeleteFunc(merged, func(_, value string) bool { return value == config.Null })
		if errors.Is(err, connect.ErrBadRequest) {
			if _, unnamed := named(merged, c.name()); unnamed != nil {
				return answer{}, unnamed
			}
		}
		return answer{}, s.explain(err, merged)
	}
	return s.stored(ctx, c.name(), patch, false), nil
}

// connectorPath is where a connector is, whatever its name.
func connectorPath(name string) string { return "/connectors/" + url.PathEscape(name) }

// stored answers with a connector whose configuration was just stored. Should it
// be gone again, the answer shows what was stored.
func (s *server) stored(ctx context.Context, name string, props config.Props, created bool) answer {
	a := answer{status: http.StatusOK}
	if created {
		a.status, a.location = http.StatusCreated, connectorPath(name)
	}
	found, err := s.rt.Connector(ctx, name)
	if err != nil {
		found = &cluster.Connector{Name: name, Props: props}
	}
	a.body = s.infoOf(found)
	return a
}

// deleteConnector is DELETE /connectors/{name}.
func (s *server) deleteConnector(ctx context.Context, c *call) (answer, error) {
	err := s.rt.DeleteConnector(ctx, c.name())
	return empty(http.StatusNoContent, notFound(err, messageNoConnector, c.name()))
}

// explain gives errors about classes Java's words, and Java's names.
func (s *server) explain(err error, props config.Props) error {
	if e, ok := errors.AsType[*connect.InvalidConfigError](err); ok {
		s.plugins.rename(&e.Result)
		return err
	}
	key, found := errors.AsType[*config.KeyError](err)
	class := strings.TrimSpace(props["connector.class"])
	if !found || key.Key != "connector.class" || s.plugins.knows(class) {
		return err
	}
	return failure(http.StatusBadRequest, err, "Failed to find any class that implements Connector and which name matches %s, available connectors are: %s",
		class, strings.Join(s.plugins.connectors(), ", "))
}
