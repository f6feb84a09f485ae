package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/streamlane/connect"
)

// peerTimeout limits the question to one other worker.
const peerTimeout = 5 * time.Second

// connectorErrors are the errors of a connector on all workers that were asked,
// oldest first.
type connectorErrors struct {
	Name   string           `json:"name"`
	Errors []connectorError `json:"errors"`
	// Missing are the workers that did not tell.
	Missing []missingWorker `json:"missing"`
}

// connectorError is a connect.ConnectorError. Task is null for the connector
// instance; what is not known is empty.
type connectorError struct {
	WorkerID string               `json:"worker_id"`
	Number   int64                `json:"number"`
	Time     int64                `json:"time"`
	Count    int                  `json:"count"`
	Task     *int                 `json:"task"`
	Outcome  connect.ErrorOutcome `json:"outcome"`
	Stage    connect.Stage        `json:"stage"`
	Plugin   string               `json:"plugin"`
	At       string               `json:"at"`
	Message  string               `json:"message"`
}

type missingWorker struct {
	WorkerID string `json:"worker_id"`
	Message  string `json:"message"`
}

// getErrors is GET /-/connectors/{name}/errors.
func (s *server) getErrors(ctx context.Context, c *call) (answer, error) {
	limit := 0
	if c.query.Has("limit") {
		n, err := strconv.Atoi(c.query.Get("limit"))
		if err != nil || n < 1 {
			return answer{}, badRequest("The parameter limit is %q, a number from 1 on is expected", c.query.Get("limit"))
		}
		limit = n
	}
	local, err := s.rt.Errors(ctx, c.name())
	if err != nil {
		return answer{}, notFound(err, messageNoConnector, c.name())
	}
	found := connectorErrors{Name: c.name(), Errors: s.showErrors(local), Missing: []missingWorker{}}
	if !c.flag("local", false) {
		s.askOthers(ctx, c, &found)
	}
	slices.SortFunc(found.Errors, func(a, b connectorError) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.WorkerID, b.WorkerID), cmp.Compare(a.Number, b.Number))
	})
	if n := len(found.Errors); limit > 0 && n > limit {
		found.Errors = found.Errors[n-limit:]
	}
	return ok(found)
}

func (s *server) showErrors(all []connect.ConnectorError) []connectorError {
	shown := make([]connectorError, len(all))
	for i, e := range all {
		shown[i] = connectorError{
			WorkerID: s.rt.WorkerID(), Number: e.Number, Time: e.Time.UnixMilli(), Count: e.Count,
			Outcome: e.Outcome, Stage: e.Stage, Plugin: e.Plugin, At: e.At, Message: e.Message,
		}
		if e.Task >= 0 {
			shown[i].Task = &e.Task
		}
	}
	return shown
}

// askOthers adds what the other workers tell that run the connector or a task of
// it. They are asked at once, and to ask nobody in turn.
func (s *server) askOthers(ctx context.Context, c *call, found *connectorErrors) {
	others := s.otherWorkers(ctx, c.name())
	answers := make([][]connectorError, len(others))
	failed := make([]error, len(others))
	var asked sync.WaitGroup
	for i, worker := range others {
		asked.Go(func() { answers[i], failed[i] = s.errorsOf(ctx, c, worker) })
	}
	asked.Wait()
	for i, worker := range others {
		if failed[i] != nil {
			s.log.DebugContext(ctx, "a worker does not tell its errors", "worker", worker, "err", failed[i])
			found.Missing = append(found.Missing, missingWorker{worker, failed[i].Error()})
			continue
		}
		found.Errors = append(found.Errors, answers[i]...)
	}
}

// otherWorkers are those that the published states of a connector name, sorted.
// A worker without a URL has no peers.
func (s *server) otherWorkers(ctx context.Context, connector string) []string {
	status, err := s.rt.Status(ctx, connector)
	if err != nil || s.rt.URL() == "" {
		return nil // without a state nothing runs
	}
	ids := []string{status.Connector.WorkerID}
	for _, t := range status.Tasks {
		ids = append(ids, t.WorkerID)
	}
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" || id == s.rt.WorkerID() })
}

// errNoAdditions: a worker of Java, or of another kind.
var errNoAdditions = errors.New("the worker does not keep errors")

// errorsOf asks another worker. Its URL is this one's with another host: states
// name workers by no more than that.
func (s *server) errorsOf(ctx context.Context, c *call, worker string) ([]connectorError, error) {
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	u, err := url.Parse(s.rt.URL())
	if err != nil {
		return nil, err
	}
	u.Host = worker
	target := strings.TrimSuffix(u.String(), "/") + c.URL.EscapedPath() + "?local=true"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	asWorker(req, c)
	resp, err := s.o.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // nothing is lost: the body was read, or failed
	body, err := io.ReadAll(io.LimitReader(resp.Body, s.o.MaxBody))
	if err != nil {
		return nil, err
	}
	return toldErrors(resp.StatusCode, body)
}

// toldErrors reads the answer of another worker. One that has not heard of the
// connector yet has no errors of it.
func toldErrors(status int, body []byte) ([]connectorError, error) {
	var told struct {
		Errors  []connectorError `json:"errors"`
		Message string           `json:"message"`
	}
	err := json.Unmarshal(body, &told)
	switch {
	case status == http.StatusNotFound && (err != nil || told.Message == plain(http.StatusNotFound).Message):
		return nil, errNoAdditions
	case status == http.StatusNotFound:
		return nil, nil
	case status != http.StatusOK:
		return nil, fmt.Errorf("the worker answers with status %d: %s", status, told.Message)
	case err != nil:
		return nil, fmt.Errorf("the worker answers with no JSON: %w", err)
	}
	return told.Errors, nil
}
