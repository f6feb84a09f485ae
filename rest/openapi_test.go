package rest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write openapi.json")

// obj is a JSON object of the document.
type obj = map[string]any

// everyRoute is the table of a handler with everything on.
func everyRoute() []route { return append((&server{}).table(), adminRoutes()...) }

func TestOpenAPI(t *testing.T) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(document(everyRoute())))
	if *update {
		require.NoError(t, os.WriteFile("openapi.json", b.Bytes(), 0o644)) //nolint:gosec // a source file
		return
	}
	if b.String() != string(openapiDocument) {
		t.Error("openapi.json is not what the routes say: run go generate ./rest and commit what it writes")
	}
}

func document(table []route) obj {
	paths := obj{}
	for _, r := range table {
		item, ok := paths[r.path].(obj)
		if !ok {
			item = obj{}
			if params := pathParams(r.path); len(params) > 0 {
				item["parameters"] = params
			}
			paths[r.path] = item
		}
		item[strings.ToLower(r.method)] = operation(r)
	}
	return obj{
		"openapi": "3.1.0",
		"info": obj{
			"title": "Kafka Connect REST interface", "version": "4.3.1",
			"description": "As of Apache Kafka Connect 4.3.1, with additions below /-/. Errors are objects with error_code and message.",
		},
		"servers":    []any{obj{"url": "."}},
		"paths":      paths,
		"components": obj{"schemas": schemas()},
	}
}

var pathParam = regexp.MustCompile(`\{(\w+)\}`)

func pathParams(path string) []any {
	var params []any
	for _, m := range pathParam.FindAllStringSubmatch(path, -1) {
		schema := obj{"type": "string"}
		switch m[1] {
		case "task":
			schema = obj{"type": "integer", "format": "int32"}
		case "revision":
			schema = obj{"type": "integer", "format": "int64"}
		}
		params = append(params, obj{"name": m[1], "in": "path", "required": true, "schema": schema})
	}
	return params
}

func operation(r route) obj {
	op := obj{"operationId": r.id, "summary": r.summary, "responses": responses(r)}
	var params []any
	for _, p := range r.query {
		params = append(params, obj{"name": p.name, "in": "query", "description": p.doc, "schema": paramSchema(p.schema)})
	}
	if params != nil {
		op["parameters"] = params
	}
	if r.body != "" {
		op["requestBody"] = obj{"required": true, "content": content(r.body)}
	}
	if r.internal {
		op["x-internal"] = true
	}
	return op
}

func responses(r route) obj {
	all := obj{"default": obj{"description": "Failure", "content": content("Error")}}
	for status, schema := range r.answers {
		answer := obj{"description": http.StatusText(status)}
		if schema != "" {
			answer["content"] = content(schema)
		}
		all[strconv.Itoa(status)] = answer
	}
	for _, status := range r.errors {
		all[strconv.Itoa(status)] = obj{"description": http.StatusText(status), "content": content("Error")}
	}
	return all
}

func content(schema string) obj {
	return obj{"application/json": obj{"schema": ref(schema)}}
}

func ref(schema string) obj { return obj{"$ref": "#/components/schemas/" + schema} }

func paramSchema(name string) obj {
	switch name {
	case "expand":
		return obj{"type": "array", "items": obj{"type": "string", "enum": []string{"status", "info"}}}
	case "scope":
		return obj{"type": "string", "enum": []string{"worker", "cluster"}}
	}
	return obj{"type": name}
}

func fields(required string, of obj) obj {
	o := obj{"type": "object", "properties": of}
	if required != "" {
		o["required"] = strings.Fields(required)
	}
	return o
}

func list(of obj) obj         { return obj{"type": "array", "items": of} }
func mapOf(of obj) obj        { return obj{"type": "object", "additionalProperties": of} }
func nullable(typ string) obj { return obj{"type": []string{typ, "null"}} }
func words(w ...string) obj   { return obj{"type": "string", "enum": w} }

// schemas are those of Java's interface, and those of the additions.
func schemas() obj {
	all := javaSchemas()
	maps.Copy(all, additionSchemas())
	return all
}

func additionSchemas() obj {
	str, num, flag := obj{"type": "string"}, obj{"type": "integer"}, obj{"type": "boolean"}
	action := words("create", "update", "delete", "unchanged")
	state := obj{"type": []string{"string", "null"}, "enum": []any{"RUNNING", "PAUSED", "STOPPED", nil}}
	message := fields("key message", obj{"key": str, "message": str})
	change := fields("key change", obj{
		"key": str, "change": words("added", "changed", "removed"), "before": nullable("string"), "after": nullable("string"),
	})
	planned := fields("name action revision state diff errors warnings", obj{
		"name": str, "action": action, "revision": nullable("integer"), "diff": list(change), "errors": list(message), "warnings": list(message),
		"state": fields("before after", obj{"before": state, "after": state}),
	})
	desired := fields("config", obj{"config": ref("Config"), "state": words("RUNNING", "PAUSED", "STOPPED")})
	failure := fields("worker_id number time count task outcome stage plugin at message", obj{
		"worker_id": str, "number": num, "time": num, "count": num, "task": nullable("integer"),
		"outcome": words("retried", "skipped", "failed"), "stage": str, "plugin": str, "at": str, "message": str,
	})
	revision := obj{"name": str, "revision": num, "time": nullable("integer"), "deleted": flag}
	entry, info := maps.Clone(revision), maps.Clone(revision)
	delete(entry, "name")
	entry["diff"] = obj{"type": []string{"array", "null"}, "items": change}
	info["config"] = obj{"anyOf": []any{ref("Config"), obj{"type": "null"}}}
	return obj{
		"ChangePlan":      fields("applied dry_run position connectors", obj{"applied": flag, "dry_run": flag, "position": nullable("integer"), "connectors": list(planned)}),
		"ChangeSet":       fields("connectors", obj{"connectors": mapOf(desired), "prune": flag, "revisions": mapOf(nullable("integer"))}),
		"ConnectorErrors": fields("name errors missing", obj{"name": str, "errors": list(failure), "missing": list(fields("worker_id message", obj{"worker_id": str, "message": str}))}),
		"Histories":       list(fields("name revisions deleted", obj{"name": str, "revisions": num, "deleted": flag})),
		"History":         fields("name revisions", obj{"name": str, "revisions": list(fields("revision time deleted diff", entry))}),
		"Revision":        fields("name revision time deleted config", info),
		"RevisionDiff":    fields("name from to diff", obj{"name": str, "from": num, "to": num, "diff": list(change)}),
	}
}

func javaSchemas() obj {
	str, num, flag := obj{"type": "string"}, obj{"type": "integer"}, obj{"type": "boolean"}
	state := obj{"state": words("UNASSIGNED", "RUNNING", "PAUSED", "STOPPED", "FAILED", "RESTARTING"), "worker_id": str, "version": nullable("string"), "trace": str}
	task := fields("connector task", obj{"connector": str, "task": num})
	kind := words("source", "sink", "unknown")
	key := obj{
		"name": str, "type": words("BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"), "required": flag,
		"default_value": nullable("string"), "importance": words("HIGH", "MEDIUM", "LOW"), "documentation": str, "group": nullable("string"),
		"width": words("NONE", "SHORT", "MEDIUM", "LONG"), "display_name": str, "dependents": list(str), "order_in_group": num,
	}
	value := obj{"name": str, "value": nullable("string"), "recommended_values": list(str), "errors": list(str), "visible": flag}
	configInfo := fields("definition value", obj{"definition": obj{"anyOf": []any{ref("ConfigKeyInfo"), obj{"type": "null"}}}, "value": fields("", value)})
	level := fields("level last_modified", obj{"level": str, "last_modified": nullable("integer")})
	withID := obj{"id": num}
	for name, schema := range state {
		withID[name] = schema
	}
	expanded := mapOf(fields("", obj{"status": ref("ConnectorStateInfo"), "info": ref("ConnectorInfo")}))
	offset := fields("partition offset", obj{"partition": obj{"type": []string{"object", "null"}}, "offset": obj{"type": []string{"object", "null"}}})
	return obj{
		"ActiveTopics":           mapOf(fields("topics", obj{"topics": list(str)})),
		"Config":                 mapOf(nullable("string")),
		"ConfigInfos":            fields("name error_count groups configs", obj{"name": str, "error_count": num, "groups": list(str), "configs": list(configInfo)}),
		"ConfigKeyInfo":          fields("name type", key),
		"ConfigKeyInfos":         list(ref("ConfigKeyInfo")),
		"ConnectorInfo":          fields("name config tasks type", obj{"name": str, "config": ref("Config"), "tasks": list(task), "type": kind}),
		"ConnectorList":          obj{"oneOf": []any{list(str), expanded}},
		"ConnectorOffsets":       fields("offsets", obj{"offsets": list(offset)}),
		"ConnectorStateInfo":     fields("name connector tasks type", obj{"name": str, "connector": fields("state worker_id", state), "tasks": list(ref("TaskState")), "type": kind}),
		"CreateConnectorRequest": fields("name config", obj{"name": str, "config": ref("Config"), "initial_state": words("RUNNING", "PAUSED", "STOPPED")}),
		"Document":               obj{"type": "object"},
		"Error":                  fields("error_code message", obj{"error_code": num, "message": str}),
		"LoggerChange":           fields("level", obj{"level": words("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF", "ALL")}),
		"LoggerLevel":            level,
		"LoggerLevels":           mapOf(level),
		"LoggerNames":            list(str),
		"Message":                fields("message", obj{"message": str}),
		"PluginInfos":            list(fields("class type", obj{"class": str, "type": words("source", "sink", "transformation", "predicate", "converter", "header_converter"), "version": str})),
		"ServerInfo":             fields("version commit kafka_cluster_id", obj{"version": str, "commit": str, "kafka_cluster_id": nullable("string")}),
		"TaskConfigs":            list(ref("Config")),
		"TaskInfos":              list(fields("id config", obj{"id": task, "config": ref("Config")})),
		"TaskState":              fields("id state worker_id", withID),
		"WorkerStatus":           fields("status message", obj{"status": words("healthy", "starting", "unhealthy"), "message": str}),
	}
}

// The document names schemas that exist, and no others.
func TestSchemasAreThoseOfTheRoutes(t *testing.T) {
	named := map[string]bool{"Error": true}
	note := func(s string) {
		if s != "" {
			named[s] = true
		}
	}
	for _, r := range everyRoute() {
		note(r.body)
		for _, s := range r.answers {
			note(s)
		}
	}
	all, err := json.Marshal(schemas())
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`"#/components/schemas/(\w+)"`).FindAllSubmatch(all, -1) {
		note(string(m[1]))
	}
	for name := range schemas() {
		assert.True(t, named[name], "nothing uses %s", name)
	}
	for name := range named {
		assert.Contains(t, schemas(), name)
	}
}

// Every operation of the document is answered, every other method is not.
func TestDocumentIsThatOfTheHandler(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(openapiDocument, &doc))
	h := Handler(newIdle(t), &Options{Loggers: NewLoggers(0), RequestTimeout: 1, HealthTimeout: 1})
	methods := []string{"GET", "PUT", "POST", "PATCH", "DELETE"}
	answered := 0
	for path, item := range doc.Paths {
		target := strings.NewReplacer("{name}", "root", "{task}", "0", "{revision}", "0").Replace(path)
		for _, method := range methods {
			w := send(t, h, host, method, target, nil, nil)
			_, described := item[strings.ToLower(method)]
			assert.Equal(t, described, w.Code != http.StatusMethodNotAllowed, "%s %s: %d %s", method, target, w.Code, w.Body)
			if described {
				answered++
			}
		}
		options := send(t, h, host, "OPTIONS", target, nil, nil)
		allowed := strings.Split(options.Header().Get("Allow"), ",")
		for _, method := range methods {
			_, described := item[strings.ToLower(method)]
			assert.Equal(t, described, slices.Contains(allowed, method), "%s %s", method, target)
		}
	}
	assert.Equal(t, len(everyRoute()), answered, fmt.Sprint(len(doc.Paths), " paths"))
}
