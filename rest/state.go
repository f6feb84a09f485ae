package rest

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// stateInfo is Java's ConnectorStateInfo.
type stateInfo struct {
	Name      string      `json:"name"`
	Connector state       `json:"connector"`
	Tasks     []taskState `json:"tasks"`
	Type      string      `json:"type"`
}

// state is the state of a connector instance.
type state struct {
	State    cluster.State `json:"state"`
	WorkerID string        `json:"worker_id"`
	Version  *string       `json:"version"`
	Trace    string        `json:"trace,omitempty"`
}

// taskState is the state of a task.
type taskState struct {
	ID int `json:"id"`
	state
}

func (s *server) stateOf(status connect.ConnectorStatus) stateInfo {
	info := stateInfo{Name: status.Name, Connector: newState(status.Connector), Tasks: []taskState{}, Type: typeName(status.Kind)}
	for _, n := range slices.Sorted(maps.Keys(status.Tasks)) {
		info.Tasks = append(info.Tasks, taskState{n, newState(status.Tasks[n])})
	}
	return info
}

func newState(s cluster.Status) state {
	st := state{State: s.State, WorkerID: s.WorkerID, Trace: s.Trace}
	if s.Version != "" {
		st.Version = &s.Version
	}
	return st
}

// typeName is how a connector's kind shows.
func typeName(kind connect.PluginKind) string {
	if kind == 0 {
		return "unknown"
	}
	return kind.String()
}

// getStatus is GET /connectors/{name}/status.
func (s *server) getStatus(ctx context.Context, c *call) (answer, error) {
	status, err := s.rt.Status(ctx, c.name())
	if err != nil {
		return answer{}, notFound(err, "No status found for connector %s", c.name())
	}
	return ok(s.stateOf(status))
}

// getTaskStatus is GET /connectors/{name}/tasks/{task}/status.
func (s *server) getTaskStatus(ctx context.Context, c *call) (answer, error) {
	task, err := c.task()
	if err != nil {
		return answer{}, err
	}
	status, err := s.rt.Status(ctx, c.name())
	found, known := status.Tasks[task]
	if err == nil && !known {
		err = connect.ErrNotFound
	}
	if err != nil {
		return answer{}, notFound(err, "No status found for task %s-%d", c.name(), task)
	}
	return ok(taskState{task, newState(found)})
}

// taskInfo is Java's TaskInfo.
type taskInfo struct {
	ID     taskID       `json:"id"`
	Config config.Props `json:"config"`
}

// getTasks is GET /connectors/{name}/tasks.
func (s *server) getTasks(ctx context.Context, c *call) (answer, error) {
	found, err := s.rt.Connector(ctx, c.name())
	if err != nil {
		return answer{}, notFound(err, messageNoConnector, c.name())
	}
	tasks := make([]taskInfo, len(found.Tasks))
	for i, props := range found.Tasks {
		tasks[i] = taskInfo{taskID{c.name(), i}, props}
	}
	return ok(tasks)
}

// pause is PUT /connectors/{name}/pause.
func (s *server) pause(ctx context.Context, c *call) (answer, error) {
	return empty(http.StatusAccepted, notFound(s.rt.Pause(ctx, c.name()), messageUnknown, c.name()))
}

// resume is PUT /connectors/{name}/resume.
func (s *server) resume(ctx context.Context, c *call) (answer, error) {
	return empty(http.StatusAccepted, notFound(s.rt.Resume(ctx, c.name()), messageUnknown, c.name()))
}

// stop is PUT /connectors/{name}/stop.
func (s *server) stop(ctx context.Context, c *call) (answer, error) {
	return empty(http.StatusNoContent, notFound(s.rt.Stop(ctx, c.name()), messageUnknown, c.name()))
}

// restart is POST /connectors/{name}/restart. Without parameters it answers
// nothing, else what it will restart.
func (s *server) restart(ctx context.Context, c *call) (answer, error) {
	o := connect.RestartOptions{Tasks: c.flag("includeTasks", false), OnlyFailed: c.flag("onlyFailed", false)}
	if !o.Tasks && !o.OnlyFailed {
		err := s.rt.Restart(ctx, c.name(), o)
		return empty(http.StatusNoContent, notFound(err, messageUnknownToRestart, c.name()))
	}
	before, err := s.rt.Status(ctx, c.name())
	if err == nil {
		err = s.rt.Restart(ctx, c.name(), o)
	}
	if err != nil {
		return answer{}, notFound(err, messageUnknownToRestart, c.name())
	}
	return answer{status: http.StatusAccepted, body: restarting(s.stateOf(before), o)}, nil
}

// restarting shows the instances that a restart concerns as RESTARTING (Java's
// RestartPlan).
func restarting(info stateInfo, o connect.RestartOptions) stateInfo {
	mark := func(st *state) {
		if !o.OnlyFailed || st.State == cluster.Failed {
			st.State = cluster.Restarting
		}
	}
	mark(&info.Connector)
	for i := range info.Tasks {
		if o.Tasks {
			mark(&info.Tasks[i].state)
		}
	}
	return info
}

// restartTask is POST /connectors/{name}/tasks/{task}/restart.
func (s *server) restartTask(ctx context.Context, c *call) (answer, error) {
	task, err := c.task()
	if err != nil {
		return answer{}, err
	}
	err = s.rt.RestartTask(ctx, cluster.TaskID{Connector: c.name(), Task: task})
	if errors.Is(err, connect.ErrNotFound) {
		if _, unknown := s.rt.Connector(ctx, c.name()); unknown != nil {
			return answer{}, notFound(unknown, messageUnknownToRestart, c.name())
		}
	}
	return empty(http.StatusNoContent, notFound(err, "Unknown task: %s-%d", c.name(), task))
}

// getTopics is GET /connectors/{name}/topics.
func (s *server) getTopics(ctx context.Context, c *call) (answer, error) {
	topics, err := s.rt.Topics(ctx, c.name())
	if err != nil {
		return answer{}, trackingError(err, "Topic tracking is disabled.")
	}
	type activeTopics struct {
		Topics []string `json:"topics"`
	}
	return ok(map[string]activeTopics{c.name(): {append([]string{}, topics...)}})
}

// resetTopics is PUT /connectors/{name}/topics/reset.
func (s *server) resetTopics(ctx context.Context, c *call) (answer, error) {
	if _, err := s.rt.Topics(ctx, c.name()); err != nil {
		return answer{}, trackingError(err, "Topic tracking is disabled.")
	}
	err := s.rt.ResetTopics(ctx, c.name())
	return empty(http.StatusAccepted, trackingError(err, "Topic tracking reset is disabled."))
}

// trackingError gives an ErrForbidden Java's words; other errors stay.
func trackingError(err error, words string) error {
	if !errors.Is(err, connect.ErrForbidden) {
		return err
	}
	return failure(http.StatusForbidden, err, "%s", words)
}
