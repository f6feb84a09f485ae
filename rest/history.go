package rest

import (
	"context"
	"net/http"
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// historyOf is what is remembered of a connector, newest first.
type historyOf struct {
	Name      string          `json:"name"`
	Revisions []revisionEntry `json:"revisions"`
}

// revisionEntry is one line of a history.
type revisionEntry struct {
	Revision int64  `json:"revision"`
	Time     *int64 `json:"time"`
	Deleted  bool   `json:"deleted"`
	// Diff is what the revision changed; null for the oldest that is remembered.
	Diff []cluster.KeyChange `json:"diff"`
}

// revisionInfo is one revision as a whole.
type revisionInfo struct {
	Name     string `json:"name"`
	Revision int64  `json:"revision"`
	Time     *int64 `json:"time"`
	Deleted  bool   `json:"deleted"`
	// Config is masked; null for a deletion.
	Config *config.Props `json:"config"`
}

type revisionDiff struct {
	Name string              `json:"name"`
	From int64               `json:"from"`
	To   int64               `json:"to"`
	Diff []cluster.KeyChange `json:"diff"`
}

type historySummary struct {
	Name      string `json:"name"`
	Revisions int    `json:"revisions"`
	Deleted   bool   `json:"deleted"`
}

// listHistories is GET /-/history.
func (s *server) listHistories(ctx context.Context, _ *call) (answer, error) {
	all, err := s.rt.Histories(ctx)
	if err != nil {
		return answer{}, err
	}
	shown := make([]historySummary, len(all))
	for i, h := range all {
		shown[i] = historySummary(h)
	}
	return ok(shown)
}

// getHistory is GET /-/connectors/{name}/history.
func (s *server) getHistory(ctx context.Context, c *call) (answer, error) {
	all, err := s.history(ctx, c)
	if err != nil {
		return answer{}, err
	}
	shown := historyOf{Name: c.name()}
	for i, r := range slices.Backward(all) {
		e := revisionEntry{Revision: r.Offset, Time: millis(r.Time), Deleted: r.Props == nil}
		if i > 0 {
			e.Diff = s.rt.Diff(all[i-1].Props, r.Props)
		}
		shown.Revisions = append(shown.Revisions, e)
	}
	return ok(shown)
}

// history returns what is remembered of the connector in the path.
func (s *server) history(ctx context.Context, c *call) ([]cluster.Revision, error) {
	all, err := s.rt.History(ctx, c.name())
	if err != nil {
		return nil, notFound(err, "No configuration of connector %s is remembered", c.name())
	}
	return all, nil
}

// findRevision finds one by its number.
func findRevision(all []cluster.Revision, name, text string) (cluster.Revision, error) {
	n, err := parsedRevision(text)
	if err != nil {
		return cluster.Revision{}, err
	}
	i := slices.IndexFunc(all, func(r cluster.Revision) bool { return r.Offset == n })
	if i < 0 {
		return cluster.Revision{}, failure(http.StatusNotFound, connect.ErrNotFound, "Revision %d of connector %s is not remembered", n, name)
	}
	return all[i], nil
}

// getRevision is GET /-/connectors/{name}/history/{revision}.
func (s *server) getRevision(ctx context.Context, c *call) (answer, error) {
	all, err := s.history(ctx, c)
	if err != nil {
		return answer{}, err
	}
	r, err := findRevision(all, c.name(), c.PathValue("revision"))
	if err != nil {
		return answer{}, err
	}
	info := revisionInfo{Name: c.name(), Revision: r.Offset, Time: millis(r.Time), Deleted: r.Props == nil}
	if r.Props != nil {
		masked := s.rt.Mask(r.Props)
		info.Config = &masked
	}
	return ok(info)
}

// diffRevisions is GET /-/connectors/{name}/history/{revision}/diff.
func (s *server) diffRevisions(ctx context.Context, c *call) (answer, error) {
	all, err := s.history(ctx, c)
	if err != nil {
		return answer{}, err
	}
	from, err := findRevision(all, c.name(), c.PathValue("revision"))
	if err != nil {
		return answer{}, err
	}
	to := all[len(all)-1]
	if c.query.Has("to") {
		if _, err := parsedRevision(c.query.Get("to")); err != nil {
			return answer{}, badRequest("The parameter to is %q, the number of a revision is expected", c.query.Get("to"))
		}
		if to, err = findRevision(all, c.name(), c.query.Get("to")); err != nil {
			return answer{}, err
		}
	}
	return ok(revisionDiff{c.name(), from.Offset, to.Offset, s.rt.Diff(from.Props, to.Props)})
}

// rollback is POST /-/connectors/{name}/history/{revision}/rollback.
func (s *server) rollback(ctx context.Context, c *call) (answer, error) {
	revision, err := parsedRevision(c.PathValue("revision"))
	if err != nil {
		return answer{}, err
	}
	dryRun := c.flag("dry_run", false)
	plan, err := s.rt.Rollback(ctx, c.name(), revision, dryRun)
	if err != nil {
		err = notFound(err, "Revision %d of connector %s is not remembered", revision, c.name())
	}
	return planned(plan, dryRun, err)
}
